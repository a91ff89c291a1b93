/* Says where the compiler has put the counters of branches: in a variable of this process's environment, which
   `coverage.rs` reads. Built and linked by `cargo xtask fuzz` only. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void __sanitizer_cov_8bit_counters_init(char *from, char *until) {
    const char *before = getenv("SORTIE_FUZZ_COUNTERS");
    if (before == NULL) before = "";
    size_t size = strlen(before) + 64;
    char *told = malloc(size);
    if (told == NULL) return;
    snprintf(told, size, "%s %lx-%lx", before, (unsigned long)from, (unsigned long)until);
    setenv("SORTIE_FUZZ_COUNTERS", told, 1);
    free(told);
}
