/* fuzz_driver.c: runs a fuzz target where no fuzzer is: each file given, then as many
 * of their mutations as the seconds allow.
 *
 *   fuzz_driver [-s SECONDS] [-o FOLDER FOR CRASHES] FILE...
 *
 * The mutations are the same in each run. A child runs the target, and a run that takes
 * longer than LIMIT seconds is a crash: after one, the parent, whose memory holds the
 * input too, writes it to a file and goes on with another child. The last line tells
 * "N executions, N crashes"; the status is 1 after a crash. */
#define _DEFAULT_SOURCE 1
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, LIMIT = 20, MOST_CRASHES = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    size_t size;
    uint8_t byte[MOST];
};

/* What parent and child both see. */
struct shared {
    struct input input; /* of the run at hand */
    long runs;
    uint64_t state;
};

static struct shared *shared;
static struct input *corpus;
static int inputs;

static uint64_t random_number(void)
{
    uint64_t z = shared->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(size_t limit)
{
    return (size_t)(random_number() % (uint64_t)limit);
}

static void erase(struct input *input)
{
    size_t at = below(input->size), count = 1 + below(input->size - at);
    memmove(input->byte + at, input->byte + at + count, input->size - at - count);
    input->size -= count;
}

/* Bytes of another input, over or between these. */
static void splice(struct input *input)
{
    const struct input *other = &corpus[below((size_t)inputs)];
    size_t at = below(input->size + 1), from = below(other->size + 1);
    size_t count = below(other->size - from + 1);
    count = count < MOST - at ? count : MOST - at;
    memcpy(input->byte + at, other->byte + from, count);
    input->size = at + count > input->size ? at + count : input->size;
}

static void mutate(struct input *input)
{
    static const uint8_t telling[] = {0, 1, 2, 127, 128, 129, 254, 255};
    for (size_t times = 1 + below(6); times > 0; times--) {
        size_t kind = input->size == 0 ? 3 : below(6),
               at = input->size == 0 ? 0 : below(input->size);
        if (kind == 0)
            input->byte[at] ^= (uint8_t)(1 << below(8));
        else if (kind == 1)
            input->byte[at] = (uint8_t)random_number();
        else if (kind == 2)
            input->byte[at] = telling[below(sizeof telling)];
        else if (kind == 3 && input->size < MOST)
            input->byte[input->size++] = (uint8_t)random_number();
        else if (kind == 4)
            erase(input);
        else
            splice(input);
    }
}

static void read_input(const char *path)
{
    struct input input = {0};
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        exit(2);
    }
    input.size = fread(input.byte, 1, MOST, file);
    fclose(file);
    corpus = realloc(corpus, (size_t)(inputs + 1) * sizeof *corpus);
    if (!corpus)
        exit(2);
    corpus[inputs++] = input;
}

/* In the child: from where the last one ended until the time is over. */
static void run_until(time_t end)
{
    while (shared->runs < inputs || time(NULL) < end) {
        shared->input =
            corpus[shared->runs < inputs ? (size_t)shared->runs : below((size_t)inputs)];
        if (shared->runs++ >= inputs)
            mutate(&shared->input);
        uint8_t *exact = malloc(shared->input.size + 1); /* so that reading on shows */
        if (!exact)
            exit(2);
        memcpy(exact + 1, shared->input.byte, shared->input.size);
        alarm(LIMIT);
        LLVMFuzzerTestOneInput(exact + 1, shared->input.size);
        alarm(0);
        free(exact);
    }
    exit(0);
}

static void write_crash(const char *folder, int status)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/crash-%ld", folder, shared->runs);
    FILE *file = fopen(path, "wb");
    if (file) {
        fwrite(shared->input.byte, 1, shared->input.size, file);
        fclose(file);
    }
    printf("crash at run %ld (%s %d): %s\n", shared->runs,
           WIFSIGNALED(status) ? "signal" : "status",
           WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), path);
}

int main(int argc, char **argv)
{
    const char *folder = ".";
    int seconds = 0, option, crashes = 0, status = 1;
    while ((option = getopt(argc, argv, "s:o:")) != -1) {
        if (option == 's')
            seconds = atoi(optarg);
        else if (option == 'o')
            folder = optarg;
        else
            return 2;
    }
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 2;
    for (; optind < argc; optind++)
        read_input(argv[optind]);
    if (inputs == 0)
        return 2;
    time_t end = time(NULL) + seconds;
    while (status != 0 && crashes < MOST_CRASHES) {
        fflush(stdout);
        pid_t child = fork();
        if (child < 0)
            return 2;
        if (child == 0)
            run_until(end);
        waitpid(child, &status, 0);
        if (status != 0) {
            write_crash(folder, status);
            crashes++;
        }
    }
    printf("%ld executions, %d crashes\n", shared->runs, crashes);
    return crashes > 0;
}
