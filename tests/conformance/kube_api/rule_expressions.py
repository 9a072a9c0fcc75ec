"""Expressions that are true on a real API server, to see that every function is there and means the same."""

from __future__ import annotations

# What `self` is in them.
OBJECT = {"csv": "a,b,c", "numbers": [1, 2, 2], "words": ["b", "a"]}
TRUE = (
    # the language
    "size('äß') == 2",
    "[1, 2, 3].exists_one(n, n > 2) && [1, 2].map(n, n * 2) == [2, 4] && [1, 2].filter(n, n > 1) == [2]",
    "{'a': 1}.all(k, k == 'a') && 'a' in {'a': 1} && has({'a': 1}.a)",
    "duration('1h30m') > duration('89m') && duration('90m').getMinutes() == 90",
    "timestamp('2026-01-02T03:04:05Z').getFullYear() == 2026",
    "timestamp('2026-01-02T00:00:00Z') - timestamp('2026-01-01T00:00:00Z') == duration('24h')",
    "'abc'.matches('^a.c$') && 'abc'.startsWith('a') && 'abc'.endsWith('c') && 'abc'.contains('b')",
    "dyn(1) == 1.0 && type(1) == int && int('7') == 7 && string(7) == '7' && double('1.5') == 1.5",
    "optional.of(1).hasValue() && optional.none().orValue(3) == 3 && {'a': 1}[?'b'].orValue(2) == 2",
    # strings
    "'Hello'.lowerAscii() == 'hello' && 'Hello'.upperAscii() == 'HELLO' && ' a '.trim() == 'a'",
    "'abcb'.indexOf('b') == 1 && 'abcb'.lastIndexOf('b') == 3 && 'abc'.charAt(1) == 'b'",
    "self.csv.split(',').size() == 3 && self.words.join('-').size() == 3 && 'aaa'.replace('a', 'b', 2) == 'bba'",
    "'abcd'.substring(1, 3) == 'bc' && '%s has %d'.format(['it', 2]) == 'it has 2'",
    # lists
    "self.numbers.isSorted() && !self.words.isSorted()",
    "self.numbers.sum() == 5 && self.numbers.min() == 1 && self.words.max() == 'b'",
    "self.numbers.indexOf(2) == 1 && self.numbers.lastIndexOf(2) == 2 && self.words.indexOf('x') == -1",
    # sets
    "sets.contains([1, 2, 3], [2]) && !sets.contains([1], [2])",
    "sets.equivalent([1, 2], [2, 1, 1]) && sets.intersects(['a', 'b'], ['b', 'c'])",
    # regular expressions
    "'a1b22'.find('[0-9]+') == '1' && 'a1b22'.findAll('[0-9]+') == ['1', '22']",
    "'a1b22'.findAll('[0-9]+', 1) == ['1'] && 'abc'.find('x') == ''",
    # URLs
    "isURL('https://example.com:8080/a?b=c') && !isURL('not a url') && isURL('/absolute')",
    "url('https://user@example.com:8080/a').getScheme() == 'https'",
    "url('https://example.com:8080/a').getHost() == 'example.com:8080'",
    "url('https://[::1]:80/a').getHostname() == '::1' && url('https://example.com').getPort() == ''",
    "url('https://example.com/a%20b?q=1').getEscapedPath() == '/a%20b'",
    "url('https://example.com/?q=1&q=2').getQuery()['q'] == ['1', '2']",
    # addresses
    "isIP('192.0.2.1') && isIP('2001:db8::1') && !isIP('300.1.1.1') && !isIP('::ffff:1.2.3.4')",
    "ip('192.0.2.1').family() == 4 && ip('2001:db8::1').family() == 6 && ip.isCanonical('2001:db8::1')",
    "ip('127.0.0.1').isLoopback() && ip('0.0.0.0').isUnspecified() && ip('10.0.0.1').isGlobalUnicast()",
    "ip('169.254.1.1').isLinkLocalUnicast() && ip('224.0.0.1').isLinkLocalMulticast()",
    "string(ip('192.0.2.1')) == '192.0.2.1' && ip('192.0.2.1') == ip('192.0.2.1')",
    # networks
    "isCIDR('192.0.2.0/24') && !isCIDR('192.0.2.0/33') && cidr('192.0.2.0/24').prefixLength() == 24",
    "cidr('192.0.2.0/24').containsIP('192.0.2.7') && cidr('192.0.2.0/24').containsIP(ip('192.0.2.7'))",
    "cidr('192.0.2.0/24').containsCIDR('192.0.2.0/25') && !cidr('192.0.2.0/25').containsCIDR('192.0.2.0/24')",
    "cidr('192.0.2.9/24').ip() == ip('192.0.2.9') && cidr('192.0.2.9/24').masked() == cidr('192.0.2.0/24')",
    # quantities
    "isQuantity('1.3Gi') && !isQuantity('1.3GiB') && quantity('1k') == quantity('1000')",
    "quantity('100M').isGreaterThan(quantity('50M')) && quantity('50Mi').isLessThan(quantity('1Gi'))",
    "quantity('1k').compareTo(quantity('1000')) == 0 && sign(quantity('-5')) == -1",
    "quantity('1k').isInteger() && quantity('1k').asInteger() == 1000 && quantity('500m').asApproximateFloat() == 0.5",
    "quantity('50k').add(quantity('1')) == quantity('50001') && quantity('50k').sub(20) == quantity('49980')",
    # named formats
    "!format.dns1123Label().validate('my-name').hasValue() && format.dns1123Label().validate('A').hasValue()",
    "!format.dns1123Subdomain().validate('a.b').hasValue() && format.qualifiedName().validate('a/b/c').hasValue()",
    "!format.labelValue().validate('ok').hasValue() && format.uuid().validate('nope').hasValue()",
)
