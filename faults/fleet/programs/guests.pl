# Guests of a fleet: each is a process of its own in new PID and user namespaces, with a second process that asks.
# Usage: guests.pl SOCKET FIRST COUNT FIRST_UID SEED
#   Guest N (from FIRST) has the host uid FIRST_UID + N as its root; `made N PID` is printed for each. They ask until the
#   daemon knows them. Then each prints `N listening` and follows its events over all failures, by turns of N on a
#   websocket and on a stream of lines:
#   `N event JSON`; `N opened POSITION`; `N closed`; `N gone TEXT` when its position is too old, then `N restarted
#   POSITION`; `N refused TEXT` when the events are refused for another reason.
#   After `ask` on standard input it also reads and writes keys:
#   `N read KEY BEGIN END STATUS VALUE`, `N wrote VALUE BEGIN END STATUS TEXT`; times are milliseconds of the monotonic clock.
#   `rest` ends that; the end of the input ends all.
# Perl, because each Debian has it, and a forked interpreter that shares its pages is small.
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX ();

my ($path, $first, $count, $first_uid, $seed) = @ARGV;
my $is_arm = (POSIX::uname())[4] eq 'aarch64';
my ($SYS_CLONE, $SYS_PRCTL, $SYS_CLOCK) = $is_arm ? (220, 167, 113) : (56, 157, 228);
my ($CLONE_NEWUSER, $CLONE_NEWPID) = (0x10000000, 0x20000000);
my ($PR_SET_PDEATHSIG, $SIGCHLD, $SIGKILL, $CLOCK_MONOTONIC) = (1, 17, 9, 1);
my $ANSWER_SECONDS = 30;
# A websocket is pinged every ten seconds.
my $SILENT_SECONDS = 40;
my $AGAIN_SECONDS = 0.1;
my $REST_SECONDS = 0.7;
my $WRITE_PERCENT = 25;
my @KEYS = qw(user.k0 user.k1 user.p0 user.p1 user.count guest.g);

# A pipe that ends tells all guests at once: the first to ask, the second to rest.
my (@gates, @locks, @pids);
for (0, 1) {
  pipe my $gate, my $lock or die "pipe: $!";
  push @gates, $gate;
  push @locks, $lock;
}
$SIG{PIPE} = 'IGNORE';
$| = 1;
make($_) for $first .. $first + $count - 1;
print "all made\n";
while (defined(my $word = <STDIN>)) {
  chomp $word;
  close $locks[0] if $word eq 'ask';
  close $locks[1] if $word eq 'rest';
}
for (@pids) { kill 'KILL', $_ }
1 while wait > 0;

sub make {
  my ($number) = @_;
  pipe my $ids_out, my $ids_in or die "pipe: $!";
  my $pid = syscall $SYS_CLONE, $CLONE_NEWUSER | $CLONE_NEWPID | $SIGCHLD, 0, 0, 0, 0;
  die "clone: $!" if $pid < 0;
  if ($pid == 0) {
    close $ids_in;
    sysread $ids_out, my $word, 1;
    be($number);
    POSIX::_exit(0);
  }
  close $ids_out;
  write_file("/proc/$pid/$_", '0 ' . ($first_uid + $number) . " 1\n") for qw(uid_map gid_map);
  syswrite $ids_in, '.';
  push @pids, $pid;
  print "made $number $pid\n";
}

my ($number, $position, $is_web);

sub be {
  ($number) = @_;
  POSIX::setgid(0);
  POSIX::setuid(0);
  syscall $SYS_PRCTL, $PR_SET_PDEATHSIG, $SIGKILL, 0, 0, 0;
  close $_ for @locks;
  open STDIN, '<', '/dev/null';
  srand($seed + $number);
  $is_web = $number % 2;
  $position = newest() while !defined $position;
  say_line('listening');
  my $asker = fork();
  if ($asker == 0) {
    ask_for_ever();
    POSIX::_exit(0);
  }
  follow() while 1;
}

# The position of the next event; undef while the daemon does not know this guest.
sub newest {
  my ($status, $body) = once('GET', '/1.0/events?since=now&limit=1');
  return $1 if $status eq '200' && $body =~ /"next":(\d+)/;
  select undef, undef, undef, $AGAIN_SECONDS;
  return undef;
}

sub follow {
  my $socket = connected();
  if ($socket) {
    follow_on($socket);
    close $socket;
  }
  select undef, undef, undef, $AGAIN_SECONDS;
}

sub follow_on {
  my ($socket) = @_;
  my $upgrade = $is_web
    ? "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    : '';
  syswrite $socket, "GET /1.0/events?since=$position HTTP/1.1\r\nHost: lxd\r\n$upgrade\r\n";
  my $text = '';
  while ($text !~ /\r\n\r\n/) { return if more($socket, \$text, $ANSWER_SECONDS) }
  my ($head, $rest) = split /\r\n\r\n/, $text, 2;
  if ($head !~ /^HTTP\/1\.1 (101|200) /) {
    my ($length) = $head =~ /^content-length: *(\d+)/im;
    while ($length && length $rest < $length) { last if more($socket, \$rest, $ANSWER_SECONDS) }
    return start_again("$rest") if $head =~ /^HTTP\/1\.1 410 /;
    return say_line('refused ' . one_line("$head $rest"));
  }
  say_line("opened $position");
  while (1) {
    while (defined(my $event = $is_web ? frame($socket, \$rest) : line(\$rest))) { take($event) if $event ne '' }
    last if more($socket, \$rest, $SILENT_SECONDS) =~ /ended/;
  }
  say_line('closed');
}

sub start_again {
  my ($text) = @_;
  say_line('gone ' . one_line($text));
  my $next;
  $next = newest() while !defined $next;
  $position = $next;
  say_line("restarted $position");
}

# A stream ends with an incomplete line if the connection breaks: it comes again.
sub line {
  my ($rest) = @_;
  return $$rest =~ s/^([^\n]*)\n// ? $1 : undef;
}

sub take {
  my ($text) = @_;
  ($position) = $text =~ /"sequence":(\d+)\}\s*$/ or return say_line('broken ' . one_line($text));
  say_line("event $text");
}

# The text of a server's next frame; empty for a ping, which is answered; undef if it is not there yet.
sub frame {
  my ($socket, $rest) = @_;
  return undef if length $$rest < 2;
  my ($opcode, $length) = unpack 'CC', $$rest;
  my $head = 2;
  if ($length == 126) {
    return undef if length $$rest < 4;
    $length = unpack 'n', substr $$rest, 2, 2;
    $head = 4;
  }
  return undef if length $$rest < $head + $length;
  my $payload = substr $$rest, $head, $length;
  $$rest = substr $$rest, $head + $length;
  return $payload if ($opcode & 15) == 1;
  syswrite $socket, pack('CC', 0x8a, 0x80 | length $payload) . "\0\0\0\0$payload" if ($opcode & 15) == 9;
  return '';
}

sub ask_for_ever {
  syscall $SYS_PRCTL, $PR_SET_PDEATHSIG, $SIGKILL, 0, 0, 0;
  sysread $gates[0], my $word, 1;
  my $written = 0;
  while (!is_over()) {
    rand(100) < $WRITE_PERCENT ? write_key(++$written) : read_key();
    select undef, undef, undef, $REST_SECONDS * (0.5 + rand);
  }
  say_line('rests');
}

sub is_over {
  vec(my $bits = '', fileno $gates[1], 1) = 1;
  return select($bits, undef, undef, 0) > 0;
}

sub read_key {
  my $key = $KEYS[rand @KEYS];
  my $begin = now_ms();
  my ($status, $body) = once('GET', "/1.0/config/$key");
  say_line("read $key $begin " . now_ms() . " $status " . one_line($body));
}

sub write_key {
  my ($turn) = @_;
  my $value = "w$number.$turn";
  my $begin = now_ms();
  my ($status, $body) = once('PUT', '/1.0/config/guest.g', $value);
  say_line("wrote $value $begin " . now_ms() . " $status " . one_line($body));
}

sub once {
  my ($method, $target, $body) = @_;
  my $socket = connected() or return ('unreachable', "$!");
  my $length = defined $body ? 'Content-Length: ' . length($body) . "\r\n" : '';
  my @answer = exchange($socket, "$method $target HTTP/1.1\r\nHost: lxd\r\n$length\r\n" . ($body // ''));
  close $socket;
  return @answer;
}

sub connected { return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $path) }

# Status and body of an answer; `ended` or `silent` when there was none.
sub exchange {
  my ($socket, $request) = @_;
  defined syswrite $socket, $request or return ('ended', "$!");
  my $text = '';
  while ($text !~ /\r\n\r\n/) {
    my $end = more($socket, \$text, $ANSWER_SECONDS);
    return ($end, one_line($text)) if $end;
  }
  my ($head, $body) = split /\r\n\r\n/, $text, 2;
  my ($status) = $head =~ /^HTTP\/1\.1 (\d+)/ or return ('ended', $text);
  my ($length) = $head =~ /^content-length: *(\d+)/im or return ($status, $body);
  while (length $body < $length) { return ('ended', $text) if more($socket, \$body, $ANSWER_SECONDS) }
  return ($status, $body);
}

# Reads more. Empty when there was more, else why not.
sub more {
  my ($socket, $text, $seconds) = @_;
  vec(my $bits = '', fileno $socket, 1) = 1;
  return 'silent' if select($bits, undef, undef, $seconds) < 1;
  return sysread($socket, $$text, 65536, length $$text) ? '' : 'ended';
}

sub now_ms {
  my $time = "\0" x 16;
  syscall $SYS_CLOCK, $CLOCK_MONOTONIC, $time;
  my ($whole, $ns) = unpack 'qq', $time;
  return $whole * 1000 + int($ns / 1e6);
}

sub one_line {
  my $text = $_[0] // '';
  $text =~ s/\s+/ /g;
  $text =~ s/ $//;
  return substr $text, 0, 300;
}

# In one piece: all of them write to the same pipe.
sub say_line { syswrite STDOUT, "$number $_[0]\n" }

sub write_file {
  my ($target, $text) = @_;
  open my $file, '>', $target or die "$target: $!";
  syswrite $file, $text or die "$target: $!";
}
