# Many guests of the guest API, each in a process of its own, which check what they are told.
# Usage: guests.pl SOCKET SECONDS SEED FIRST COUNT [FIRST_UID]
#   Guest N (from FIRST) expects `guest-N` as its `user.id`. With FIRST_UID each is a tiny container: the first process
#   of its own PID and user namespaces, with the host uid FIRST_UID + N as its root; `made N PID` is printed for each.
#   Without it they are processes of the container in which this program runs.
# Words on standard input take all of them from one stage to the next: `listen` (follow events from now on, `N listening`),
# `load` (one request every SECONDS), `rest` (no more requests, only events), `leave` (close all, `N left`). The end of the input ends them.
# Prints `N answered KIND MICROSECONDS`, `N failed KIND REASON`, `N wrong TEXT` (the data of another, or a value that no
# event told of), `N event KEY VALUE`, `N opened` for an event stream, and `N closed` when it ends: it is opened again.
# Perl, because each Debian has it, and a forked interpreter that shares its pages is small.
use strict;
use warnings;
use IO::Socket::UNIX;
use POSIX ();

my ($socket_path, $seconds, $seed, $first, $count, $first_uid) = @ARGV;
my $is_arm = (POSIX::uname())[4] eq 'aarch64';
my ($SYS_CLONE, $SYS_PRCTL, $SYS_CLOCK) = $is_arm ? (220, 167, 113) : (56, 157, 228);
my ($CLONE_NEWUSER, $CLONE_NEWPID) = (0x10000000, 0x20000000);
my ($PR_SET_PDEATHSIG, $SIGCHLD, $SIGKILL, $CLOCK_MONOTONIC) = (1, 17, 9, 1);
my $ANSWER_SECONDS = 30;
my $REOPEN_SECONDS = 0.2;
my @STAGES = qw(listen load rest leave);
# Of a hundred requests. Only the main thread answers `main` and `state`.
my @KINDS = ((('kept') x 60), (('fresh') x 25), (('main') x 10), (('state') x 5));
my @KEYS = qw(user.tick user.shared);

# A stage begins for all guests when its pipe ends, so that one action of the first process reaches all.
my (@gates, @locks, @pids);
for (@STAGES) {
  pipe my $gate, my $lock or die "pipe: $!";
  push @gates, $gate;
  push @locks, $lock;
}
$SIG{PIPE} = 'IGNORE';
$| = 1;
make($_) for $first .. $first + $count - 1;
while (defined(my $word = <STDIN>)) {
  chomp $word;
  my ($stage) = grep { $STAGES[$_] eq $word } 0 .. $#STAGES;
  close $locks[$stage];
}
for (@pids) { kill 'KILL', $_ }
1 while wait > 0;

sub make {
  my ($number) = @_;
  pipe my $ids_out, my $ids_in or die "pipe: $!";
  my $flags = defined $first_uid ? $CLONE_NEWUSER | $CLONE_NEWPID : 0;
  my $pid = syscall $SYS_CLONE, $flags | $SIGCHLD, 0, 0, 0, 0;
  die "clone: $!" if $pid < 0;
  if ($pid == 0) {
    close $ids_in;
    sysread $ids_out, my $word, 1;
    be($number);
    POSIX::_exit(0);
  }
  close $ids_out;
  push @pids, $pid;
  return unless defined $first_uid;
  write_file("/proc/$pid/$_", '0 ' . ($first_uid + $number) . " 1\n") for qw(uid_map gid_map);
  print "made $number $pid\n";
}

# What a guest knows.
my ($number, $name, $position, $events, $kept, %last);

sub be {
  ($number) = @_;
  $name = "guest-$number";
  POSIX::setgid(0);
  POSIX::setuid(0);
  syscall $SYS_PRCTL, $PR_SET_PDEATHSIG, $SIGKILL, 0, 0, 0;
  close $_ for @locks;
  open STDIN, '<', '/dev/null';
  srand($seed + $number);
  my ($stage, $next) = (0, 0);
  while (1) {
    my $is_ending = ready(wait_seconds($stage, $next), $gates[$stage]);
    take_events() if $events && ready(0, $events);
    if ($is_ending) {
      begin($STAGES[$stage]);
      $next = now() + rand($seconds);
      # The stages are over: the end of the program is the end of this process.
      if (++$stage == @STAGES) { sleep }
      next;
    }
    next if $stage == 0 || now() < $next;
    listen_again() unless $events;
    ask_something() if $stage == 2;
    $next = now() + ($events ? $seconds * (0.5 + rand) : $REOPEN_SECONDS);
  }
}

sub wait_seconds {
  my ($stage, $next) = @_;
  return undef if $stage == 0;
  return undef if $stage != 2 && $events;
  my $left = $next - now();
  return $left > 0 ? $left : 0;
}

# Waits for the given handle, and for events. Says whether the handle is ready.
sub ready {
  my ($left, $handle) = @_;
  my $bits = '';
  vec($bits, fileno $_, 1) = 1 for grep { $_ } $handle, $events;
  select(my $found = $bits, undef, undef, $left);
  return vec $found, fileno $handle, 1;
}

sub begin {
  my ($stage) = @_;
  if ($stage eq 'listen') {
    my ($status, $body) = once('GET', '/1.0/events?since=now&limit=1');
    ($position) = ($body // '') =~ /"next":(\d+)/ or die "$name: no position: $status $body";
    for (@KEYS) {
      my ($found, $value) = once('GET', "/1.0/config/$_");
      $last{$_} = $found eq '200' ? $value : '';
    }
    listen_again();
    say_line('listening');
  }
  if ($stage eq 'rest') {
    close $kept if $kept;
    ($kept) = ();
  }
  if ($stage eq 'leave') {
    close $events if $events;
    ($events) = ();
    say_line('left');
  }
}

sub ask_something {
  my $kind = $KINDS[rand @KINDS];
  my $before = now();
  my ($status, $body) =
      $kind eq 'kept' ? on_kept('/1.0/config/user.id')
    : $kind eq 'fresh' ? once('GET', '/1.0/config/user.id')
    : $kind eq 'main' ? once('GET', '/1.0/events?since=now&limit=1')
    : once('PATCH', '/1.0', '{"state":"' . (rand() < 0.5 ? 'Ready' : 'Started') . '"}');
  return say_line("failed $kind $status " . one_line($body)) if $status ne '200';
  say_line(sprintf 'answered %s %d', $kind, (now() - $before) * 1e6);
  say_line('wrong id ' . one_line($body)) if $kind =~ /kept|fresh/ && $body ne $name;
}

# On the connection that is kept. A server may end one that rests (RFC 9112, 9.3.1): then a new one is used.
sub on_kept {
  my ($target) = @_;
  my $request = request('GET', $target);
  if ($kept) {
    my @answer = exchange($kept, $request);
    return @answer if $answer[0] ne 'ended';
    close $kept;
  }
  $kept = connected() or return ('refused', "$!");
  my @answer = exchange($kept, $request);
  ($kept) = () if $answer[0] !~ /^\d/;
  return @answer;
}

sub once {
  my ($method, $target, $body) = @_;
  my $socket = connected() or return ('refused', "$!");
  my @answer = exchange($socket, request($method, $target, $body));
  close $socket;
  return @answer;
}

sub connected { return IO::Socket::UNIX->new(Type => SOCK_STREAM, Peer => $socket_path) }

sub request {
  my ($method, $target, $body) = @_;
  my $length = defined $body ? 'Content-Length: ' . length($body) . "\r\n" : '';
  return "$method $target HTTP/1.1\r\nHost: lxd\r\n$length\r\n" . ($body // '');
}

# Status and body of an answer; `ended` when the connection ended before it, `cut` when it ended within it.
sub exchange {
  my ($socket, $request) = @_;
  defined syswrite $socket, $request or return ('ended', "$!");
  my $text = '';
  while ($text !~ /\r\n\r\n/) {
    my $end = more($socket, \$text);
    return ($text eq '' ? $end : 'cut', $text) if $end;
  }
  my ($head, $body) = split /\r\n\r\n/, $text, 2;
  my ($status) = $head =~ /^HTTP\/1\.1 (\d+)/ or return ('cut', $text);
  my ($length) = $head =~ /^content-length: *(\d+)/im or return ($status, $body);
  while (length $body < $length) { return ('cut', $text) if more($socket, \$body) }
  return ($status, $body);
}

# Reads more. Empty when there was more, else why not.
sub more {
  my ($socket, $text) = @_;
  vec(my $bits = '', fileno $socket, 1) = 1;
  return 'silent' if select($bits, undef, undef, $ANSWER_SECONDS) < 1;
  return sysread($socket, $$text, 65536, length $$text) ? '' : 'ended';
}

sub listen_again {
  my $socket = connected() or return say_line("failed listen refused $!");
  syswrite $socket, "GET /1.0/events?since=$position HTTP/1.1\r\nHost: lxd\r\nConnection: Upgrade\r\n"
    . "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
  my $head = '';
  # One byte at a time: frames may follow at once.
  while ($head !~ /\r\n\r\n/) {
    sysread($socket, $head, 1, length $head) or return say_line('failed listen ended ' . one_line($head));
  }
  return say_line('failed listen ' . one_line($head)) if $head !~ /^HTTP\/1\.1 101 /;
  $events = $socket;
  say_line('opened');
}

sub take_events {
  my $text = frame($events);
  return take_event($text) if defined $text;
  close $events;
  ($events) = ();
  say_line('closed');
}

# Each event names the old value: one that was lost or came twice shows.
sub take_event {
  my ($text) = @_;
  return if $text eq '';
  ($position) = $text =~ /"sequence":(\d+)\}\s*$/ or return say_line('wrong event ' . one_line($text));
  my ($key, $old, $value) = $text =~ /"key":"([^"]+)","old_value":"([^"]*)","value":"([^"]*)"/ or return;
  return unless exists $last{$key};
  say_line("wrong chain $key: $last{$key} was followed by $old, $value") if $old ne $last{$key};
  say_line("wrong value $key: $value") if $key eq 'user.tick' && $value !~ /^$name-\d+$/;
  $last{$key} = $value;
  say_line("event $key $value");
}

# The text of a server's next frame; empty for a ping, which is answered; undef at the end.
sub frame {
  my ($socket) = @_;
  my ($opcode, $length) = unpack 'CC', exactly($socket, 2) // return;
  $length = unpack 'n', exactly($socket, 2) // return if $length == 126;
  my $payload = $length ? exactly($socket, $length) // return : '';
  return $payload if ($opcode & 15) == 1;
  syswrite $socket, pack('CC', 0x8a, 0x80 | length $payload) . "\0\0\0\0$payload" if ($opcode & 15) == 9;
  return ($opcode & 15) == 8 ? undef : '';
}

sub exactly {
  my ($socket, $bytes) = @_;
  my $text = '';
  while (length $text < $bytes) { sysread($socket, $text, $bytes - length $text, length $text) or return }
  return $text;
}

sub now {
  my $time = "\0" x 16;
  syscall $SYS_CLOCK, $CLOCK_MONOTONIC, $time;
  my ($whole, $ns) = unpack 'qq', $time;
  return $whole + $ns / 1e9;
}

sub one_line {
  my $text = $_[0] // '';
  $text =~ s/\s+/ /g;
  return substr $text, 0, 200;
}

# In one piece: all of them write to the same pipe.
sub say_line { syswrite STDOUT, "$number $_[0]\n" }

sub write_file {
  my ($path, $text) = @_;
  open my $file, '>', $path or die "$path: $!";
  syswrite $file, $text or die "$path: $!";
}
