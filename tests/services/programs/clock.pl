# A service in Perl that tells its time, and whether its timers go on.
use strict;
use warnings;
use IO::Socket::INET;
use POSIX qw(strftime);
use Time::HiRes qw(time sleep clock_gettime CLOCK_MONOTONIC);

$| = 1;
my $server = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 16, ReuseAddr => 1) or die "cannot listen: $!";
print "listening\n";
while (my $client = $server->accept) {
    my $served = 0;
    while (defined(my $line = <$client>)) {
        next if $line !~ /^\r?\n$/;
        my $begun = clock_gettime(CLOCK_MONOTONIC);
        sleep(0.02);
        my $timer = clock_gettime(CLOCK_MONOTONIC) - $begun >= 0.015 ? "true" : "false";
        my $now = time;
        my $body = sprintf('{"now":"%s.%03dZ","timer":%s}', strftime("%Y-%m-%dT%H:%M:%S", gmtime($now)), ($now - int $now) * 1000, $timer);
        my $date = strftime("%a, %d %b %Y %H:%M:%S GMT", gmtime($now));
        $served++;
        print $client "HTTP/1.1 200 OK\r\nDate: $date\r\nContent-Type: application/json\r\nX-On-This-Connection: $served\r\nContent-Length: " . length($body) . "\r\n\r\n$body";
    }
}
