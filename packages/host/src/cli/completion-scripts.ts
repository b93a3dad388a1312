const BASH = `# Tab completion of porthole for bash.
_porthole() {
  local IFS=$'\\n' line
  COMPREPLY=()
  while read -r line; do
    if [ "$line" = ":files" ]; then
      COMPREPLY+=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
      compopt -o filenames 2>/dev/null
    else
      printf -v line %q "$line"
      COMPREPLY+=("$line")
    fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  case "\${COMPREPLY[0]}" in */|*=|*:) compopt -o nospace 2>/dev/null ;; esac
}
complete -F _porthole porthole`;

const ZSH = `#compdef porthole
# Tab completion of porthole for zsh.
_porthole() {
  local line ret=1
  local -a candidates unfinished
  while read -r line; do
    if [[ "$line" == ":files" ]]; then
      _files && ret=0
    elif [[ "$line" == *[/=:] ]]; then
      unfinished+=("$line")
    else
      candidates+=("$line")
    fi
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  compadd -a candidates && ret=0
  compadd -S '' -a unfinished && ret=0
  return ret
}
if [[ "\${funcstack[1]}" == "_porthole" ]]; then _porthole "$@"; else compdef _porthole porthole; fi`;

const FISH = `# Tab completion of porthole for fish.
function __porthole_complete
  set -l words (commandline -opc)
  for line in ($words[1] __complete -- $words[2..-1] (commandline -ct) 2>/dev/null)
    if test "$line" = ":files"
      __fish_complete_path (commandline -ct)
    else
      printf '%s\\n' $line
    end
  end
end
complete -c porthole -f -a '(__porthole_complete)'`;

/**
 * A script for each shell; all ask `porthole __complete -- WORDS` for one candidate per line. Candidates are
 * quoted: instances choose the names of their files. No space is added after a slash or an equals sign.
 */
export const COMPLETION_SCRIPTS = { bash: BASH, fish: FISH, zsh: ZSH } as const;
