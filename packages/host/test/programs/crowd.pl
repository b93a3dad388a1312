# Makes many tiny containers, as another runtime would: each one process, first of its own PID and user namespaces.
# Usage: crowd.pl COUNT FIRST_UID
#   Container N (from 0) has the host uid FIRST_UID + N as its root. `made N PID` is printed for each.
#   `ask SOCKET` on standard input makes all of them connect at once: each opens an events websocket, then asks on a
#   connection of its own for its `user.id`, and prints `N answer STATUS BODY`; then `N event JSON` for each event.
#   `end N` ends one and prints `ended N`; the end of the input ends all.
# Perl, because each Debian has it, and a forked interpreter that shares its pages is small.
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX ();

my ($count, $first_uid) = @ARGV;
my ($SYS_CLONE, $SYS_PRCTL) = (POSIX::uname())[4] eq 'aarch64' ? (220, 167) : (56, 157);
my ($CLONE_NEWUSER, $CLONE_NEWPID) = (0x10000000, 0x20000000);
my ($PR_SET_PDEATHSIG, $SIGCHLD, $SIGKILL) = (1, 17, 9);
my @pids;
my $input = '';

$| = 1;
# Each container waits for its ids on one pipe, for the word to ask on the other; both speak to all at once.
pipe my $go_out, my $go_in or die "pipe: $!";
make($_) for 0 .. $count - 1;
close $go_out;
print "all made\n";
while (defined(my $line = <STDIN>)) {
  if ($line =~ /^ask (.+)$/) {
    # The path and a line break, once for each: a read takes what is there, so all are of the same length.
    syswrite $go_in, pack('A128', $1) for 1 .. $count;
  }
  end_one($1) if $line =~ /^end (\d+)$/;
}
end_one($_) for 0 .. $#pids;

sub make {
  my ($number) = @_;
  pipe my $ids_out, my $ids_in or die "pipe: $!";
  my $pid = syscall $SYS_CLONE, $CLONE_NEWUSER | $CLONE_NEWPID | $SIGCHLD, 0, 0, 0, 0;
  die "clone: $!" if $pid < 0;
  if ($pid == 0) {
    close $ids_in;
    close $go_in;
    sysread $ids_out, my $word, 1;
    contain($number);
    POSIX::_exit(0);
  }
  close $ids_out;
  write_file("/proc/$pid/$_", '0 ' . ($first_uid + $number) . " 1\n") for qw(uid_map gid_map);
  syswrite $ids_in, '.';
  push @pids, $pid;
  print "made $number $pid\n";
}

# Nobody else waits for them, so the pid of one that has ended by itself is still its own here.
sub end_one {
  my ($number) = @_;
  return unless $pids[$number];
  kill 'KILL', $pids[$number];
  waitpid $pids[$number], 0;
  $pids[$number] = 0;
  print "ended $number\n";
}

sub contain {
  my ($number) = @_;
  POSIX::setgid(0);
  POSIX::setuid(0);
  syscall $SYS_PRCTL, $PR_SET_PDEATHSIG, $SIGKILL, 0, 0, 0;
  open STDIN, '<', '/dev/null';
  sysread($go_out, my $path, 128) or return;
  $path =~ s/ +$//;
  close $go_out;
  my $events = connected($path);
  print $events "GET /1.0/events HTTP/1.1\r\nHost: lxd\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    . "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
  my $head = '';
  while ($head !~ /\r\n\r\n/) { sysread($events, $head, 1, length $head) or return say_line("$number answer 0 $head") }
  my ($status) = $head =~ /^HTTP\/1.1 (\d+)/;
  say_line("$number answer $status " . answer($path));
  while (defined(my $text = frame($events))) { say_line("$number event $text") if $text ne '' }
  say_line("$number closed");
  sleep;
}

sub connected {
  my ($path) = @_;
  return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) || die "connect: $!";
}

# What it is told on a connection of its own, without its headers.
sub answer {
  my ($path) = @_;
  my $socket = connected($path);
  print $socket "GET /1.0/config/user.id HTTP/1.1\r\nHost: lxd\r\nConnection: close\r\n\r\n";
  local $/;
  my $text = <$socket>;
  return $text =~ /^HTTP\/1.1 200 .*?\r\n\r\n(.*)/s ? $1 : $text;
}

# The text of a server's next frame; empty for a ping, which is answered; undef at the end.
sub frame {
  my ($socket) = @_;
  my ($opcode, $length) = unpack 'CC', exactly($socket, 2) // return;
  $length = unpack 'n', exactly($socket, 2) // return if $length == 126;
  my $payload = $length ? exactly($socket, $length) // return : '';
  return $payload if ($opcode & 15) == 1;
  print $socket pack('CC', 0x8a, 0x80), "\0\0\0\0" if ($opcode & 15) == 9;
  return ($opcode & 15) == 8 ? undef : '';
}

sub exactly {
  my ($socket, $bytes) = @_;
  my $text = '';
  while (length $text < $bytes) { sysread($socket, $text, $bytes - length $text, length $text) or return }
  return $text;
}

# In one piece: all of them write to the same pipe.
sub say_line { syswrite STDOUT, "$_[0]\n" }

sub write_file {
  my ($path, $text) = @_;
  open my $file, '>', $path or die "$path: $!";
  syswrite $file, $text or die "$path: $!";
}
