/* Integer work of several kinds. */
#include "kernels.h"

/* Lists: merge sort by callback, find, reverse. */
struct node {
  struct node *next;
  s32 key;
  u32 data;
};
static struct node pool[2048];

static NOINLINE struct node *merge_sort(struct node *l, int (*compare)(struct node *, struct node *))
{
  if (!l || !l->next) return l;
  struct node *slow = l, *fast = l->next;
  while (fast && fast->next) slow = slow->next, fast = fast->next->next;
  struct node *r = slow->next, head, *tail = &head;
  slow->next = 0;
  l = merge_sort(l, compare);
  r = merge_sort(r, compare);
  while (l && r) {
    struct node **least = compare(l, r) <= 0 ? &l : &r;
    tail = tail->next = *least;
    *least = tail->next;
  }
  tail->next = l ? l : r;
  return head.next;
}

static NOINLINE int by_key(struct node *a, struct node *b) { return a->key - b->key; }
static NOINLINE int by_data(struct node *a, struct node *b) { return a->data < b->data ? -1 : a->data > b->data; }

u64 list(u32 work)
{
  u64 sum = 0;
  while (work--) {
    for (int i = 0; i < 2048; i++) {
      pool[i].next = i < 2047 ? &pool[i + 1] : 0;
      pool[i].key = rnd() & 0xffff;
      pool[i].data = rnd();
    }
    struct node *l = merge_sort(pool, by_key);
    for (int round = 0; round < 10; round++) {
      for (struct node *p = l; p; p = p->next) sum += p->key ^ p->data;
      struct node *reversed = 0;
      while (l) {
        struct node *next = l->next;
        l->next = reversed;
        reversed = l;
        l = next;
      }
      l = reversed;
    }
    sum = sum * 31 + merge_sort(l, by_data)->key;
  }
  return sum;
}

/* Matrices of 64 x 64, compiled as plain code. */
static s32 a[4096], b[4096], c[4096];

__attribute__((optimize("no-tree-vectorize"))) u64 matrix(u32 work)
{
  u64 sum = 0;
  for (int i = 0; i < 4096; i++) a[i] = rnd() & 0xff, b[i] = rnd() & 0xff;
  while (work--) {
    for (int i = 0; i < 64; i++)
      for (int j = 0; j < 64; j++) {
        s32 t = 0;
        for (int k = 0; k < 64; k++) t += a[i * 64 + k] * b[k * 64 + j];
        c[i * 64 + j] = t;
      }
    sum += c[work & 4095];
    a[work & 4095] += work;
  }
  return sum;
}

/* A state machine over text. */
static u8 text[8192];

static void make_text(void)
{
  for (int i = 0; i < 8191; i++) text[i] = "0123456789+-.eE,xyz,"[rnd() % 20];
  text[8191] = 0;
}

static NOINLINE u32 scan(const u8 *p, u32 *visits)
{
  int at = 0;
  u32 bad = 0;
  for (u8 ch; (ch = *p++);) {
    int digit = ch >= '0' && ch <= '9';
    visits[at]++;
    switch (at) {
    case 0: at = digit ? 1 : ch == '+' || ch == '-' ? 2 : ch == '.' ? 3 : 7; break;
    case 1: at = ch == '.' ? 3 : ch == 'e' ? 4 : ch == ',' ? 0 : digit ? 1 : 7; break;
    case 2: at = digit ? 1 : ch == '.' ? 3 : 7; break;
    case 3: at = ch == 'e' || ch == 'E' ? 4 : ch == ',' ? 0 : digit ? 3 : 7; break;
    case 4: at = ch == '+' || ch == '-' ? 5 : 7; break;
    case 5: at = digit ? 6 : 7; break;
    case 6: at = ch == ',' ? 0 : digit ? 6 : 7; break;
    default:
      if (ch == ',') at = 0;
      bad++;
    }
  }
  return bad;
}

u64 state(u32 work)
{
  u64 sum = 0;
  u32 visits[8] = {0};
  make_text();
  while (work--) {
    sum += scan(text, visits);
    sum ^= visits[work & 7];
  }
  return sum;
}

/* CRC-16 bit by bit. */
static u16 crc_byte(u8 data, u16 crc)
{
  for (int i = 0; i < 8; i++) {
    int bit = (data ^ crc) & 1;
    data >>= 1;
    crc = bit ? ((crc ^ 0x4002) >> 1) | 0x8000 : crc >> 1;
  }
  return crc;
}

u64 crc(u32 work)
{
  u64 sum = 0;
  make_text();
  while (work--) {
    u16 value = work;
    for (int i = 0; i < 4096; i++) value = crc_byte(text[i], value);
    sum = sum * 3 + value;
  }
  return sum;
}

/* The C library's string functions, as plain loops. */
static u8 s1[4096], s2[4096];

static NOINLINE u64 length(const u8 *s)
{
  const u8 *p = s;
  while (*p) p++;
  return p - s;
}

static NOINLINE int compare_strings(const u8 *x, const u8 *y)
{
  while (*x && *x == *y) x++, y++;
  return *x - *y;
}

__attribute__((optimize("no-tree-vectorize"))) u64 strings(u32 work)
{
  u64 sum = 0;
  for (int i = 0; i < 4095; i++) s1[i] = 'a' + rnd() % 26;
  while (work--) {
    __builtin_memcpy(s2, s1, 4096);
    sum += length(s2);
    s2[4000] ^= work & 1;
    sum += compare_strings(s1, s2);
    for (int i = 0; i < 1000; i++) s2[i + 1] = s1[i + 3];
    for (int i = 0; i < 4096; i++) sum += s2[i];
  }
  return sum;
}

/* Quicksort. */
static s32 numbers[4096];

static NOINLINE void quicksort(s32 *v, s64 low, s64 high)
{
  while (low < high) {
    s32 pivot = v[(low + high) / 2];
    s64 i = low, j = high;
    while (i <= j) {
      while (v[i] < pivot) i++;
      while (v[j] > pivot) j--;
      if (i <= j) {
        s32 t = v[i];
        v[i++] = v[j];
        v[j--] = t;
      }
    }
    quicksort(v, low, j);
    low = i;
  }
}

u64 sort(u32 work)
{
  u64 sum = 0;
  while (work--) {
    for (int i = 0; i < 4096; i++) numbers[i] = rnd();
    quicksort(numbers, 0, 4095);
    for (int i = 1; i < 4096; i++) sum += numbers[i - 1] > numbers[i];
    sum = sum * 7 + numbers[100];
  }
  return sum;
}

/* SHA-256 (FIPS 180-4) with constants that are not its own: the work is the same. */
static u32 round_constants[64];

static inline u32 rotate(u32 x, int n) { return x >> n | x << (32 - n); }

static NOINLINE void sha_block(u32 *h, const u8 *p)
{
  u32 w[64], v[8];
  for (int i = 0; i < 16; i++) w[i] = (u32)p[4 * i] << 24 | p[4 * i + 1] << 16 | p[4 * i + 2] << 8 | p[4 * i + 3];
  for (int i = 16; i < 64; i++) {
    u32 x = w[i - 15], y = w[i - 2];
    w[i] = w[i - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + w[i - 7] + (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
  }
  for (int i = 0; i < 8; i++) v[i] = h[i];
  for (int i = 0; i < 64; i++) {
    u32 e = v[4], x = v[0];
    u32 t = v[7] + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & v[5]) ^ (~e & v[6])) + round_constants[i] + w[i];
    u32 u = (rotate(x, 2) ^ rotate(x, 13) ^ rotate(x, 22)) + ((x & v[1]) ^ (x & v[2]) ^ (v[1] & v[2]));
    v[7] = v[6], v[6] = v[5], v[5] = e, v[4] = v[3] + t, v[3] = v[2], v[2] = v[1], v[1] = x, v[0] = t + u;
  }
  for (int i = 0; i < 8; i++) h[i] += v[i];
}

u64 sha256(u32 work)
{
  u32 h[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  make_text();
  for (int i = 0; i < 64; i++) round_constants[i] = rnd() * 2654435761u;
  while (work--) sha_block(h, text + (work & 63) * 64);
  return h[0] ^ (u64)h[3] << 32;
}

/* A byte-code machine: one jump through a table for each operation. */
static u8 program[1024];

static NOINLINE u64 interpret(const u8 *p, u64 steps)
{
  u64 stack[16], acc = 1;
  u32 sp = 0, pc = 0;
  for (int i = 0; i < 16; i++) stack[i] = i;
  while (steps--) {
    u8 op = p[pc];
    pc = (pc + 1) & 1023;
    switch (op & 15) {
    case 0: acc += stack[sp & 15]; break;
    case 1: acc ^= acc << 3; break;
    case 2: stack[sp++ & 15] = acc; break;
    case 3: acc -= stack[--sp & 15]; break;
    case 4: acc = acc * 3 + 1; break;
    case 5: acc >>= 1; break;
    case 6: if (acc & 1) pc = (pc + (op >> 4)) & 1023; break;
    case 7: acc = ~acc; break;
    case 8: stack[(sp + 1) & 15] += acc; break;
    case 9: acc |= op; break;
    case 10: acc += pc; break;
    case 11: sp++; break;
    case 12: if (acc > 1000) acc &= 0xffff; break;
    case 13: acc = acc << 7 | acc >> 57; break;
    case 14: stack[3] ^= acc; break;
    default: acc -= 7;
    }
  }
  return acc + stack[5];
}

u64 bytecode(u32 work)
{
  u64 sum = 0;
  for (int i = 0; i < 1024; i++) program[i] = rnd();
  while (work--) sum += interpret(program, 20000 + (work & 1));
  return sum;
}

/* Calls. */
static NOINLINE u64 fibonacci(u64 n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }

u64 recursion(u32 work)
{
  u64 sum = 0;
  for (u64 n = 24; work--; sum += fibonacci(n)) OPAQUE(n);
  return sum;
}

/* Calls through pointers, and a hash table. */
struct object {
  u64 (*method)(struct object *, u64);
  u64 value;
};
static NOINLINE u64 m0(struct object *o, u64 x) { return o->value += x; }
static NOINLINE u64 m1(struct object *o, u64 x) { return o->value ^= x << 1; }
static NOINLINE u64 m2(struct object *o, u64 x) { return o->value = o->value * x + 3; }
static NOINLINE u64 m3(struct object *o, u64 x) { return x - o->value; }
static struct object objects[256];
static u64 table[4096];

static NOINLINE u64 put(u64 key)
{
  u64 at = key * 0x9E3779B97F4A7C15ul >> 52;
  for (int i = 0; i < 8; i++) {
    u64 *entry = &table[(at + i) & 4095];
    if (*entry != key && *entry) continue;
    *entry = key;
    return (at + i) & 4095;
  }
  table[at] = key;
  return at;
}

u64 virtual_calls(u32 work)
{
  u64 sum = 0;
  u64 (*methods[])(struct object *, u64) = {m0, m1, m2, m3};
  for (int i = 0; i < 4096; i++) table[i] = 0;
  for (int i = 0; i < 256; i++) objects[i].method = methods[rnd() & 3], objects[i].value = rnd();
  while (work--) {
    for (int i = 0; i < 256; i++) sum += objects[i].method(&objects[i], sum);
    for (int i = 0; i < 256; i++) sum += put((sum & 0xfff) + i);
  }
  return sum;
}

/* 64-bit multiplication, high halves, division. */
static inline u64 high_half(u64 x, u64 y)
{
#ifdef __SIZEOF_INT128__
  return (unsigned __int128)x * y >> 64;
#else
  u64 low = (u64)(u32)x * (u32)y, middle = (x >> 32) * (u32)y + (low >> 32), other = (u64)(u32)x * (y >> 32) + (u32)middle;
  return (x >> 32) * (y >> 32) + (middle >> 32) + (other >> 32);
#endif
}

u64 muldiv(u32 work)
{
  u64 x = 0x123456789abcdefful, sum = 0;
  while (work--)
    for (u32 i = 1; i < 4096; i++) {
      x = x * 6364136223846793005ul + i;
      sum += high_half(x, sum);
      sum ^= x / (i | 1) + (s64)x % (s64)(i + 7);
    }
  return sum;
}
