const BASH = `# Tab completion of porthole for bash.
_porthole() {
  local IFS=$'\\n' line
  COMPREPLY=()
  while read -r line; do
    if [ "$line" = ":files" ]; then
      COMPREPLY+=($(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"))
      compopt -o filenames 2>/dev/null
    else
      COMPREPLY+=("$line")
    fi
  done < <("\${COMP_WORDS[0]}" __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _porthole porthole`;

const ZSH = `#compdef porthole
# Tab completion of porthole for zsh.
_porthole() {
  local line
  local -a candidates
  while read -r line; do
    if [[ "$line" == ":files" ]]; then
      _files
    else
      candidates+=("$line")
    fi
  done < <("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  compadd -a candidates
}
if [[ "\${funcstack[1]}" == "_porthole" ]]; then _porthole "$@"; else compdef _porthole porthole; fi`;

/** What each shell has to be told; both ask `porthole __complete -- WORDS` for one candidate a line. */
export const COMPLETION_SCRIPTS = { bash: BASH, zsh: ZSH } as const;
