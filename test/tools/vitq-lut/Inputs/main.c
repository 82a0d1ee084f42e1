/* Prints TABLE(q) for every code FIRST..LAST. */
#include SOURCE
#include <stdio.h>

int main(void) {
  int q;
  for (q = FIRST; q <= LAST; ++q)
    printf("%d %lld\n", q, (long long)TABLE(q));
  return 0;
}
