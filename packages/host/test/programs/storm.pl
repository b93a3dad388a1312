# Lets a thousand processes at a time connect and end, again and again, until its input ends.
# Usage: storm.pl SOCKET
use strict;
use warnings;

my ($path) = @ARGV;
my $AF_UNIX = 1;
my $SOCK_STREAM = 1;
my $AT_A_TIME = 1000;
my $address = pack 'Sa108', $AF_UNIX, $path;
# The kernel reaps them.
$SIG{CHLD} = 'IGNORE';

sub goes_on {
  my $input = '';
  vec($input, fileno STDIN, 1) = 1;
  return !select $input, undef, undef, 0;
}

while (goes_on()) {
  # All of them wait for the end of this pipe: to begin a process takes much longer than to connect.
  pipe my $gate, my $held or die "pipe: $!";
  for (1 .. $AT_A_TIME) {
    next if fork;
    close $held;
    sysread $gate, my $nothing, 1;
    socket my $socket, $AF_UNIX, $SOCK_STREAM, 0;
    connect $socket, $address;
    # A quick end, without taking perl apart.
    kill KILL => $$;
  }
  close $gate;
  close $held;
}
