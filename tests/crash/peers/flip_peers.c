/* SPDX-License-Identifier: MIT
 *
 * flip_peers.c - every byte of a five-article index changed, under any engine.
 *
 * Ten questions are asked of the sound index, and then, with each byte of each file changed in
 * turn, again: an error is damage found; the same numbers, scores and texts are no harm; all else
 * is a silently wrong answer: other hits, or the right hits with another text than was stored. A
 * crash or a hang is found by the parent, which goes on with the next byte in another child.
 */
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/hash.h"
#include "peer.h"
#include "tests/support/crash_script.h"

enum { ARTICLES = 5, ARTICLE_BYTES = 1 << 16, PATIENCE_SECONDS = 10, QUESTIONS = 10 };
#define MEMORY_MOST ((rlim_t)2 << 30)

static const char *const questions[QUESTIONS] = {
    "china",  "rare earth", "trump", "export controls", "trade talks",
    "tiktok", "the of and", "korea", "tariffs",         "minerals technology",
};

/* What the child has come to; shared with the parent. */
typedef struct progress {
    size_t at; /* the byte in hand                                                         */
    unsigned long detected, same, other_hits, other_text, crashed, hung;
} progress;

static const peer *engine;
static char base[FOLDER_PATH];
static peer_hits sound[QUESTIONS];

/* ---- the index ------------------------------------------------------------------------- */

static void put_article(void *writer, unsigned number, const char *path)
{
    static char text[ARTICLE_BYTES];
    char why[PEER_WHY] = "";
    FILE *f = fopen(path, "rb");
    folder_must(f != NULL, "open", path);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    folder_must(engine->put(writer, number, text, why), why, path);
}

static void build(void)
{
    struct dirent **names;
    char why[PEER_WHY] = "", path[FOLDER_PATH];
    unsigned number = 0;
    void *writer = engine->writer_open(base, why);
    folder_must(writer != NULL, why, base);
    int n = scandir("corpus/articles", &names, NULL, alphasort);
    folder_must(n > 0, "list", "corpus/articles");
    for (int i = 0; i < n; i++) {
        snprintf(path, sizeof path, "corpus/articles/%.200s", names[i]->d_name);
        if (strstr(names[i]->d_name, ".txt")) put_article(writer, ++number, path);
        free(names[i]);
    }
    free(names);
    folder_must(number == ARTICLES && engine->commit(writer, why), why, base);
    engine->writer_close(writer);
}

static bool ask(peer_hits answers[QUESTIONS], char why[PEER_WHY])
{
    void *reader = engine->reader_open(base, why);
    bool well = reader != NULL;
    memset(answers, 0, QUESTIONS * sizeof *answers);
    for (unsigned i = 0; well && i < QUESTIONS; i++)
        well = engine->search(reader, questions[i], &answers[i], why);
    if (reader) engine->reader_close(reader);
    return well;
}

typedef enum likeness { SAME, OTHER_TEXT, OTHER_HITS } likeness;

static likeness compare(const peer_hits *a, const peer_hits *b)
{
    likeness how = a->n == b->n ? SAME : OTHER_HITS;
    for (size_t i = 0; how != OTHER_HITS && i < a->n; i++) {
        const peer_hit *x = &a->hits[i], *y = &b->hits[i];
        if (x->number != y->number || memcmp(&x->score, &y->score, sizeof x->score) != 0)
            how = OTHER_HITS;
        else if (x->text != y->text)
            how = OTHER_TEXT;
    }
    return how;
}

/* Of all questions the worst. */
static likeness compare_all(const peer_hits answers[QUESTIONS])
{
    likeness how = SAME;
    for (unsigned i = 0; i < QUESTIONS; i++) {
        likeness one = compare(&answers[i], &sound[i]);
        if (one > how) how = one;
    }
    return how;
}

/* ---- one file -------------------------------------------------------------------------- */

/* Of processor time: a busy machine must not count against an engine.  0 ends it. */
static void set_patience(time_t seconds)
{
    struct itimerval most = {.it_value = {.tv_sec = seconds}};
    setitimer(ITIMER_PROF, &most, NULL);
}

static void try_byte(const char *path, const folder_file *f, unsigned mask, progress *p)
{
    static peer_hits answers[QUESTIONS];
    char why[PEER_WHY];
    uint8_t byte = (uint8_t)(f->data[p->at] ^ mask);
    int fd = folder_open(path, f->name);
    folder_must(pwrite(fd, &byte, 1, (off_t)p->at) == 1, "write", f->name);
    close(fd);
    set_patience(PATIENCE_SECONDS);
    bool well = ask(answers, why);
    set_patience(0);
    likeness how = compare_all(answers);
    p->detected += !well;
    p->same += well && how == SAME;
    p->other_hits += well && how == OTHER_HITS;
    p->other_text += well && how == OTHER_TEXT;
}

/* A child does bytes until the file is done or one of them ends it.  The file is written anew
 * for each child and for each byte that an engine may have written beside. */
static void try_bytes(const char *path, const folder_image *image, size_t which, unsigned mask,
                      progress *p)
{
    const folder_file *f = &image->files[which];
    struct rlimit most = {MEMORY_MOST, MEMORY_MOST};
    setrlimit(RLIMIT_AS, &most);
    folder_must(freopen("/dev/null", "w", stderr) != NULL, "open", "/dev/null");
    for (; p->at < f->len; p->at++) {
        folder_restore(path, image);
        try_byte(path, f, mask, p);
    }
    _exit(0);
}

static void try_file(const char *path, const folder_image *image, size_t which, unsigned mask,
                     progress *p)
{
    for (p->at = 0; p->at < image->files[which].len; p->at++) {
        int status = 0;
        fflush(stdout);
        pid_t pid = fork();
        folder_must(pid >= 0, "fork", "");
        if (pid == 0) try_bytes(path, image, which, mask, p);
        folder_must(waitpid(pid, &status, 0) == pid, "wait for", engine->name);
        bool hung = WIFSIGNALED(status) && WTERMSIG(status) == SIGPROF;
        p->hung += hung;
        p->crashed += status != 0 && !hung;
    }
    folder_restore(path, image);
}

/* ---- all of them ----------------------------------------------------------------------- */

/* Where the files are: in the folder itself, or in the one that the engine made in it. */
static void find_files(char path[FOLDER_PATH + 16])
{
    struct stat info;
    snprintf(path, FOLDER_PATH + 16, "%s/xapian", base);
    if (stat(path, &info) != 0) snprintf(path, FOLDER_PATH + 16, "%s", base);
}

int peer_flips(const peer *the_engine, unsigned mask)
{
    char why[PEER_WHY] = "", path[FOLDER_PATH + 16];
    folder_image image;
    double begun = script_clock();
    progress *p = mmap(NULL, sizeof *p, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    folder_must(p != MAP_FAILED, "map", "");
    engine = the_engine;
    script_folder(base);
    build();
    folder_must(ask(sound, why), why, base);
    find_files(path);
    folder_load(path, &image);
    for (size_t i = 0; i < image.n; i++) try_file(path, &image, i, mask, p);
    unsigned long wrong = p->other_hits + p->other_text, bad = wrong + p->crashed + p->hung;
    printf("%s, every byte xor %02x: %lu changes: %lu detected, %lu same answers, %lu silently "
           "wrong (%lu other hits, %lu other texts), %lu crashed, %lu ran over %d s; %.0f s\n",
           engine->name, mask, p->detected + p->same + bad, p->detected, p->same, wrong,
           p->other_hits, p->other_text, p->crashed, p->hung, PATIENCE_SECONDS,
           script_clock() - begun);
    folder_image_free(&image);
    folder_remove(path);
    if (strcmp(path, base) != 0) rmdir(base);
    munmap(p, sizeof *p);
    return engine == &peer_pressmark && bad;
}
