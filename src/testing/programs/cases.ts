/** What is run: each case a pipeline of programs, the first of which reads `input` or the file of data. */

export interface Case {
  readonly name: string
  readonly pipeline: readonly (readonly string[])[]
  /** Standard input of the first; without it, the data. */
  readonly input?: string
}

const one = (name: string, ...words: readonly string[]): Case => ({ name, pipeline: [words] })

/** Text and bytes of every kind, always the same. */
export function testData(): Uint8Array {
  const bytes = new Uint8Array(9_000)
  let state = 12345
  for (let i = 0; i < bytes.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    const random = state >>> 16
    bytes[i] = i < 6_000 ? ((random & 63) === 0 ? 10 : 97 + (random % 26)) : random
  }
  return bytes
}

const busybox = (applet: string, ...args: readonly string[]): Case => one(applet, 'busybox', applet, ...args)

const AWK = `BEGIN {
  for (i = -20; i <= 20; i++) {
    x = i / 7
    printf "%.17g %.17g %.17g %.17g %.17g\\n", sin(x), cos(x), exp(x), atan2(x, 2), sqrt(x * x + 1)
    if (i > 0) printf "%.17g %.17g %d %x %e %o\\n", log(x), x ^ 2.5, x * 1e6, i * 12345, x / 3e300, i * i
  }
  s = 0
  for (i = 1; i < 20000; i++) s += 1 / i
  printf "%.17g\\n", s
}`

const PERL = `my @m; my $n = 24;
for my $i (0 .. $n - 1) { for my $j (0 .. $n - 1) { $m[$i][$j] = sin($i * 1.7 + $j) / ($j + 1) + ($i == $j) } }
my ($det, $log) = (1, 0);
for my $k (0 .. $n - 1) {
  $det *= $m[$k][$k]; $log += log(abs($m[$k][$k]));
  for my $i ($k + 1 .. $n - 1) { my $f = $m[$i][$k] / $m[$k][$k]; $m[$i][$_] -= $f * $m[$k][$_] for $k .. $n - 1 }
}
printf "%.17g %.17g\\n", $det, $log;
printf "%s %s %s\\n", $_, $_ ** 0.5, unpack("H*", pack("d>f>", $_, $_)) for 0.1, 1e300, 5e-324, 2**-1030, 1/3, 1e-45, 3.4e38;
printf "%.20e %.3f %g %a\\n", $_, $_, $_, $_ for 1.5, 2.5, 0.1 + 0.2, 123456789.987654321, 1e22, 1e23;
printf "%d %d %u\\n", int($_), $_ * 3, abs $_ for -7.9, 2147483648.5, -9.2e18, 1e15 + 0.3;
my $h = 0; $h = ($h * 33 + ord) % 4294967291 for split //, join ",", sort { $a <=> $b } map { ($_ * 7919) % 10007 } 1 .. 3000;
print "$h\\n";`

const PYTHON = `import math, struct
def line(*values): print(' '.join(repr(v) for v in values))
for i in range(-12, 13):
    x = i / 7
    line(math.sin(x), math.cos(x), math.tan(x), math.exp(x), math.expm1(x), math.atan2(x, 2), math.erf(x), math.gamma(x + 5.5), math.hypot(x, 3))
    if i > 0: line(math.log(x), math.log1p(x), math.log2(x), x ** 2.5, math.lgamma(x), math.acosh(1 + x), math.cbrt(x), math.fmod(x * 1e9, x))
line(math.fsum([0.1] * 10), sum([0.1] * 10), math.nextafter(1, 2), math.ulp(1e300), float.fromhex('0x1.fffffffffffffp-1060'))
line(3 ** 400 % (2 ** 521 - 1), pow(7, 10 ** 18, 10 ** 30 + 57), math.isqrt(10 ** 61), math.comb(300, 137), divmod(-(10 ** 40), 7 ** 20))
line(*(struct.pack('>efd', v, v, v).hex() for v in (1 / 3, 65504.0, 6e-8, -0.0)), *(round(v, 1) for v in (0.25, 0.35, 2.5, -1e22)))
primes = [n for n in range(2, 3000) if all(n % p for p in range(2, int(n ** 0.5) + 1))]
table = {n: n * n % 9973 for n in primes}
line(len(primes), sum(primes), max(table, key=lambda n: (table[n], n)), sorted(table.items(), key=lambda p: (p[1], p[0]))[:5])
line(f'{1e23:.17g}', f'{2 / 3:.30f}', f'{-7 // 2}', f'{12345.678:,.2f}', f'{255:#b}', 'ß'.upper(), 'žluťoučký'.encode().hex())
matrix = [[math.sin(i * 1.3 + j) for j in range(16)] for i in range(16)]
for _ in range(4): matrix = [[math.fsum(a * b for a, b in zip(row, column)) for column in zip(*matrix)] for row in matrix]; matrix = [[v / 8 for v in row] for row in matrix]
line(*(sum(row) for row in matrix[:4]))`

const SQL = `create table t(a integer primary key, b real, c text);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 500)
  insert into t select i, i * 1.0 / 7 - 30, hex(i * i) from n;
select count(*), sum(b), avg(b), min(b), max(b), total(b * b) from t;
select c, round(b, 5) from t where b > 0 and c like '%F%' order by b desc limit 12;
select a % 9, sum(b), group_concat(substr(c, 1, 1), '') from t group by 1 order by 1;
select printf('%.15e', 1.0 / 3), 1e308 * 10, -1e-320, 9223372036854775807 + 1, cast('1e3' as real), 7 / 2, 7 % -3;`

const KEY = '000102030405060708090a0b0c0d0e0f'
const IV = '0f0e0d0c0b0a09080706050403020100'
/** RFC 8032, 7.1, test 2, as PKCS #8. */
const ED25519 =
  '-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIEzNCJsojyhulfg6/D0rGWFv5jYJ/iqWxMoYc0tmeUc7\n-----END PRIVATE KEY-----\n'

const digest = (name: string): Case => one(`openssl ${name}`, 'openssl', 'dgst', `-${name}`, '-r')
const cipher = (name: string, keys: number): Case => ({
  name: `openssl ${name}`,
  pipeline: [
    ['openssl', 'enc', `-${name}`, '-K', KEY.repeat(keys), '-iv', IV],
    ['busybox', 'sha256sum'],
  ],
})

const compressed = (name: string, ...args: readonly string[]): Case => ({
  name: `what ${[name, ...args].join(' ')} makes`,
  pipeline: [
    [name, ...args, '-c'],
    ['busybox', 'sha256sum'],
  ],
})

/** stress-ng's stressors, each for so many operations; every one checks what it computes. */
const STRESSORS = {
  vecmath: 2,
  vecwide: 2,
  vecfp: 2,
  vecshuf: 2,
  fp: 20,
  matrix: 20,
  hash: 20,
  qsort: 1,
  radixsort: 1,
  str: 20,
  wcs: 20,
  zlib: 1,
  judy: 1,
  regs: 1,
  longjmp: 100,
  memcpy: 2,
} as const
const stress = (name: string, operations: number, ...args: readonly string[]): Case =>
  one(`stress-ng ${name}`, 'stress-ng', `--${name}`, '1', `--${name}-ops`, `${operations}`, ...args, '--verify', '-q')
/** Each operation is the next of its methods, of which there are fewer. */
const CPU_METHODS = 90

/** `openssl mac` and `openssl kdf` with their options. */
const openssl = (command: 'mac' | 'kdf', ...options: readonly string[]): string[] => [
  'openssl',
  command,
  ...options.flatMap((option) => [`-${command}opt`, option]),
]

export const CASES: readonly Case[] = [
  ...['md5sum', 'sha1sum', 'sha256sum', 'sha512sum', 'sha3sum', 'crc32', 'wc', 'rev'].map((applet) => busybox(applet)),
  ...[
    ['od', '-A', 'd', '-t', 'f8', '-N', '800'],
    ['od', '-t', 'x8', '-j', '6000', '-N', '1600'],
    ['od', '-t', 'f4', '-N', '800'],
    ['sort', '-u'],
    ['tr', 'a-m', 'n-z'],
    ['cut', '-c', '1-9'],
    ['uuencode', 'x'],
    ['grep', '-c', 'ab'],
    ['sed', 's/\\(.\\)a/<\\1>/g;$d'],
  ].map(([applet = '', ...args]) => busybox(applet, ...args)),
  one('mawk', 'mawk', AWK),
  busybox('factor', '4294967291', '1000036000099', '97'),
  busybox('seq', '-w', '0', '37', '1000'),
  busybox('expr', '123456789', '*', '987654'),
  {
    name: 'dc',
    pipeline: [['busybox', 'dc']],
    input: '40k 2 v p 7 11 ^ p 10 3 / p 12345678901234567890 98765 * p 0k 3 31 ^ 7 % p 17 5 ~ p p\n',
  },
  {
    name: 'bc',
    pipeline: [['busybox', 'bc', '-l']],
    input: 'scale=50\n4*a(1)\ne(1)\ns(1)+c(2)\n2^200%10^9\nsqrt(2)\n',
  },
  ...['gzip', 'bzip2', 'lzop'].map((name) => ({
    name: `${name}, and back`,
    pipeline: [
      ['busybox', name === 'bzip2' ? 'bzip2' : name, '-c'],
      ['busybox', name, '-dc'],
      ['busybox', 'sha256sum'],
    ],
  })),
  {
    name: 'what gzip makes',
    pipeline: [
      ['busybox', 'gzip', '-9', '-c'],
      ['busybox', 'sha256sum'],
    ],
  },
  {
    name: 'what xz makes',
    pipeline: [
      ['/usr/bin/xz', '-1', '-c'],
      ['busybox', 'tee', '/tmp/x'],
      ['busybox', 'sha256sum'],
    ],
  },
  {
    name: 'xz, and back',
    pipeline: [
      ['/usr/bin/xz', '-2', '--check=crc64', '-c'],
      ['/usr/bin/xz', '-dc'],
      ['busybox', 'sha256sum'],
    ],
  },
  compressed('zstd', '-3'),
  compressed('zstd', '-19'),
  {
    name: 'zstd, and back',
    pipeline: [
      ['zstd', '-1', '--long', '-c'],
      ['zstd', '-dc', '--long=27'],
      ['busybox', 'sha256sum'],
    ],
  },
  ...['sha1', 'sha256', 'sha512', 'sha512-256', 'sha3-256', 'blake2b512', 'blake2s256', 'sm3'].map(digest),
  one('openssl GMAC', ...openssl('mac', 'cipher:AES-128-GCM', `hexkey:${KEY}`, `hexiv:${IV.slice(0, 24)}`), 'GMAC'),
  one('openssl CMAC', ...openssl('mac', 'cipher:AES-128-CBC', `hexkey:${KEY}`), 'CMAC'),
  one('openssl Poly1305', ...openssl('mac', `hexkey:${KEY}${IV}`), 'Poly1305'),
  one(
    'openssl scrypt',
    ...openssl('kdf', 'pass:secret', 'salt:salt', 'n:256', 'r:8', 'p:1'),
    '-keylen',
    '32',
    'SCRYPT',
  ),
  one(
    'openssl PBKDF2',
    ...openssl('kdf', 'pass:secret', 'salt:salt', 'iter:2000', 'digest:SHA512'),
    '-keylen',
    '48',
    'PBKDF2',
  ),
  ...['digest', 'cipher', 'mac', 'kdf'].map((kind) =>
    one(`openssl list, ${kind}s`, 'openssl', 'list', `-${kind}-algorithms`),
  ),
  ...['aes-128-cbc', 'aes-128-ofb', 'sm4-cbc', 'aria-128-ctr'].map((name) => cipher(name, 1)),
  ...['aes-256-ctr', 'aes-256-cfb', 'camellia-256-cbc', 'chacha20'].map((name) => cipher(name, 2)),
  one('openssl prime', 'openssl', 'prime', '170141183460469231731687303715884105727', '1000003', '1000001'),
  {
    name: 'openssl ed25519',
    pipeline: [['openssl', 'pkey', '-text_pub', '-noout']],
    input: ED25519,
  },
  one('perl', 'perl', '-e', PERL),
  { name: 'sqlite3', pipeline: [['sqlite3', ':memory:']], input: SQL },
  one('python', 'python3.11', '-S', '-c', PYTHON),
  stress('cpu', CPU_METHODS, '--cpu-method', 'all'),
  ...Object.entries(STRESSORS).map(([name, operations]) => stress(name, operations)),
]
