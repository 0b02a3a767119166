/* test_corpus.c: runs the fuzz targets on the kept inputs: corpus/TARGET/, from which fuzzing
 * starts, and corpus/crashes/TARGET/, inputs that failed once. A target that fails aborts; the
 * last line printed before names the file. */
#include "check.h"
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 1 << 16 };

static const struct {
    const char *name;
    void (*run)(const uint8_t *data, size_t size);
} targets[] = {{"points", fuzz_points}, {"parameters", fuzz_parameters}, {"arrays", fuzz_arrays}};

/* Whether the file could be read. */
static int replay(const char *path, void (*run)(const uint8_t *data, size_t size))
{
    static uint8_t bytes[MOST];
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    printf("%s\n", path);
    fflush(stdout);
    uint8_t *exact = malloc(size); /* so that reading on shows */
    if (!exact)
        return 0;
    memcpy(exact, bytes, size);
    run(exact, size);
    free(exact);
    return 1;
}

static int replay_all(const char *folder, const char *name,
                      void (*run)(const uint8_t *data, size_t size))
{
    char path[512], file[1024];
    int files = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    DIR *directory = opendir(path);
    for (struct dirent *entry; directory && (entry = readdir(directory));) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name);
        check_about("%s", file);
        CHECK(replay(file, run));
        files++;
    }
    if (directory)
        closedir(directory);
    return files;
}

int main(void)
{
    for (size_t t = 0; t < sizeof targets / sizeof *targets; t++) {
        int files = replay_all("corpus", targets[t].name, targets[t].run);
        check_about("corpus of %s", targets[t].name);
        CHECK(files > 0);
        replay_all("corpus/crashes", targets[t].name, targets[t].run);
    }
    return check_done("corpus");
}
