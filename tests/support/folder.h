/* SPDX-License-Identifier: MIT
 *
 * folder.h - flat folders of small files, for tests that damage or refuse.
 *
 * By plain system calls, not by the library under test, and without its allocator.  What goes
 * wrong here is no finding but a broken test: it is said and the program aborts, in a forked
 * child as in its parent.
 */
#ifndef PM_TESTS_FOLDER_H
#define PM_TESTS_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FOLDER_PATH = 256, FOLDER_FILES = 64 };

typedef struct folder_file {
    char name[64];
    uint8_t *data; /* owned                                                                */
    size_t len;
} folder_file;

typedef struct folder_image {
    folder_file files[FOLDER_FILES]; /* sorted by name                                     */
    size_t n;
} folder_image;

/* Abort the program unless `ok`. */
void folder_must(bool ok, const char *what, const char *path);

/* A new folder of $TMPDIR, else /tmp. */
void folder_make(char path[FOLDER_PATH]);
/* Delete the files of it; and the folder. */
void folder_empty(const char *path);
void folder_remove(const char *path);

/* All files with their bytes; free by folder_image_free.  LOCK is left out. */
void folder_load(const char *path, folder_image *image);
void folder_image_free(folder_image *image);
/* Empty the folder and write the image into it. */
void folder_restore(const char *path, const folder_image *image);
void folder_write(const char *path, const char *name, const void *data, size_t len);
void folder_unlink(const char *path, const char *name);
/* Open a file of it for reading and writing; the caller closes. */
int folder_open(const char *path, const char *name);
/* How many maps of this process are of files of it. */
unsigned folder_maps(const char *path);

#endif
