/* SPDX-License-Identifier: MIT
 *
 * folder.c - see folder.h.
 */
#include "tests/support/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void folder_must(bool ok, const char *what, const char *path)
{
    if (ok) return;
    fprintf(stderr, "broken test: %s %s: %s\n", what, path, strerror(errno));
    abort();
}

static void join(char out[FOLDER_PATH + 80], const char *path, const char *name)
{
    snprintf(out, FOLDER_PATH + 80, "%s/%s", path, name);
}

void folder_make(char path[FOLDER_PATH])
{
    const char *parent = getenv("TMPDIR");
    snprintf(path, FOLDER_PATH, "%s/pressmark-test-XXXXXX", parent && *parent ? parent : "/tmp");
    folder_must(mkdtemp(path) != NULL, "make", path);
}

/* Call fn with each file's name. */
static void each_file(const char *path, void (*fn)(void *ctx, const char *path, const char *name),
                      void *ctx)
{
    DIR *folder = opendir(path);
    folder_must(folder != NULL, "open", path);
    for (struct dirent *entry; (entry = readdir(folder));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            fn(ctx, path, entry->d_name);
    closedir(folder);
}

static void unlink_one(void *ctx, const char *path, const char *name)
{
    (void)ctx;
    folder_unlink(path, name);
}

void folder_empty(const char *path)
{
    each_file(path, unlink_one, NULL);
}

void folder_remove(const char *path)
{
    folder_empty(path);
    folder_must(rmdir(path) == 0, "remove", path);
}

static void load_one(void *ctx, const char *path, const char *name)
{
    folder_image *image = ctx;
    char full[FOLDER_PATH + 80];
    struct stat info;
    if (strcmp(name, "LOCK") == 0) return;
    join(full, path, name);
    folder_must(image->n < FOLDER_FILES && strlen(name) < sizeof image->files[0].name, "load",
                full);
    folder_file *f = &image->files[image->n++];
    int fd = folder_open(path, name);
    folder_must(fstat(fd, &info) == 0, "stat", full);
    snprintf(f->name, sizeof f->name, "%s", name);
    f->len = (size_t)info.st_size;
    f->data = malloc(f->len + 1);
    folder_must(f->data && read(fd, f->data, f->len) == (ssize_t)f->len, "read", full);
    close(fd);
}

static int compare_files(const void *a, const void *b)
{
    const folder_file *x = a, *y = b;
    return strcmp(x->name, y->name);
}

void folder_load(const char *path, folder_image *image)
{
    image->n = 0;
    each_file(path, load_one, image);
    qsort(image->files, image->n, sizeof image->files[0], compare_files);
}

void folder_image_free(folder_image *image)
{
    for (size_t i = 0; i < image->n; i++) free(image->files[i].data);
    image->n = 0;
}

void folder_restore(const char *path, const folder_image *image)
{
    folder_empty(path);
    for (size_t i = 0; i < image->n; i++)
        folder_write(path, image->files[i].name, image->files[i].data, image->files[i].len);
}

void folder_write(const char *path, const char *name, const void *data, size_t len)
{
    char full[FOLDER_PATH + 80];
    join(full, path, name);
    int fd = open(full, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
    folder_must(fd >= 0 && write(fd, data, len) == (ssize_t)len, "write", full);
    close(fd);
}

void folder_unlink(const char *path, const char *name)
{
    char full[FOLDER_PATH + 80];
    join(full, path, name);
    folder_must(unlink(full) == 0, "unlink", full);
}

int folder_open(const char *path, const char *name)
{
    char full[FOLDER_PATH + 80];
    join(full, path, name);
    int fd = open(full, O_RDWR | O_CLOEXEC);
    folder_must(fd >= 0, "open", full);
    return fd;
}

unsigned folder_maps(const char *path)
{
    char line[4096];
    unsigned n = 0;
    FILE *maps = fopen("/proc/self/maps", "r");
    folder_must(maps != NULL, "open", "/proc/self/maps");
    while (fgets(line, sizeof line, maps)) n += strstr(line, path) != NULL;
    fclose(maps);
    return n;
}
