# pressmark: build, set-up, tests and checks.  One file, no recursion.
#
#   make            build/release/pressmark (says what to install when something is missing)
#   make demo       set-up, build, index corpus/articles, answer "rare earth export controls"
#   make test       set-up, all variants' tests
#   make lint       layers, format and rules of the house
#   make install    PREFIX=/usr/local DESTDIR=
# Variants: make VARIANT=debug|asan|tsan|cov ...

VARIANT ?= release
CC ?= cc
PREFIX ?= /usr/local
B := build/$(VARIANT)
VERSION := $(shell sed -n 's/^#define PM_VERSION_\(MAJOR\|MINOR\|PATCH\) *//p' pressmark.h | paste -sd.)

# ---- flags -------------------------------------------------------------------------------

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wcast-qual -Wundef -Wvla \
        -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes
HARDEN := -fstack-protector-strong -fstack-clash-protection
CFLAGS_release := -O2 -g -DNDEBUG $(HARDEN) -D_FORTIFY_SOURCE=2
CFLAGS_debug := -O0 -g3
CFLAGS_asan := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS_tsan := -O1 -g -fsanitize=thread
CFLAGS_cov := -O0 -g --coverage
CFLAGS_mcdc := -O0 -g -fprofile-instr-generate -fcoverage-mapping -fcoverage-mcdc
LDFLAGS_asan := -fsanitize=address,undefined
LDFLAGS_tsan := -fsanitize=thread
LDFLAGS_cov := --coverage
LDFLAGS_mcdc := -fprofile-instr-generate
# Scores are bit for bit the same everywhere: no contraction, no fast-math (INV-7).
PM_CFLAGS := -std=c11 -D_GNU_SOURCE -I. -fPIC -fvisibility=hidden -ffp-contract=off -pthread \
          $(WARN) $(if $(WERROR),-Werror) $(CFLAGS_$(VARIANT)) $(CFLAGS)
# The folder that debug information names is the one where it is looked for, so that the same
# sources make the same bytes in every folder.
HERE := $(if $(filter release,$(VARIANT)),PWD=/proc/self/cwd)
PM_LDFLAGS := -pthread -Wl,-z,relro,-z,now $(LDFLAGS_$(VARIANT)) $(LDFLAGS)

# The program links the small libraries statically: a dynamic one costs every start some
# 50 to 100 us.  In the release it is static altogether, at a fixed address, where the C
# library can be had so: loading and relocating is a third of a search in a new process
# (DECISIONS.md, start-up).  `make STATIC=` links it dynamically, position-independent.
# The shared library links everything as usual.
DEPS_SMALL := -lstemmer -lutf8proc -ljansson -lyaml -ldeflate -lz
DEPS_STATIC := -Wl,-Bstatic $(DEPS_SMALL) -Wl,-Bdynamic -lm
STATIC ?= $(if $(filter release,$(VARIANT)),$(if $(wildcard $(shell $(CC) -print-file-name=libc.a)),-static))
DEPS_SHARED := $(DEPS_SMALL) -lm

# ---- sources: adding a file is adding a file -----------------------------------------------

LIB_DIRS := common/base common/text common/codec common/segment common/xapian indexer searcher
LIB_SRC := $(filter-out %_template.c common/xapian/xap_absent.c,$(foreach d,$(LIB_DIRS),$(filter-out $(d)/cmd_%,$(wildcard $(d)/*.c))))
CLI_SRC := main.c $(wildcard common/cli/*.c indexer/cmd_*.c searcher/cmd_*.c)
TEST_SRC := $(wildcard tests/unit/test_*.c tests/tables/test_*.c tests/golden/test_*.c \
            tests/oracle/test_*.c tests/twin/test_*.c tests/fault/test_*.c tests/damage/test_*.c \
            tests/crash/test_*.c tests/fuzz/test_*.c tests/compat/test_*.c)
# Shared by tests: anything in tests/ that is not a test of its own.
TEST_LIB_SRC := $(filter-out $(TEST_SRC),$(wildcard tests/support/*.c tests/oracle/*.c tests/fuzz/target*.c)) \
                $(if $(filter mcdc,$(VARIANT)),tests/coverage/leave.c)
BENCH_SRC := $(wildcard benchmarks/*.c)

LIB_OBJ := $(LIB_SRC:%.c=$(B)/%.o)
CLI_OBJ := $(CLI_SRC:%.c=$(B)/%.o)
# With what prints, which tests of output and of query files want.
TEST_LIB_OBJ := $(TEST_LIB_SRC:%.c=$(B)/%.o) $(filter $(B)/common/cli/%,$(CLI_OBJ))
TESTS := $(TEST_SRC:%.c=$(B)/%)
BENCHES := $(BENCH_SRC:%.c=$(B)/%)

# What cannot be in a static program: the plugin of the engine xapian (C++, GPL by what it links),
# and the same program linked dynamically, which opens it.  Tests have a plugin that throws what they
# ask for.
XAP_SRC := $(wildcard common/xapian/*.cc)
XAP_OBJ := $(XAP_SRC:%.cc=$(B)/%.o)
XAP_TEST_OBJ := $(XAP_SRC:common/xapian/%.cc=$(B)/tests/plugin/%.o)
PLUGIN := $(B)/pressmark-xapian.so
TEST_PLUGIN := $(B)/tests/plugin/pressmark-xapian.so
DYNAMIC := $(if $(STATIC),$(B)/pressmark-dynamic)

.PHONY: all lib tests benches check-deps clean
all: $(B)/pressmark $(DYNAMIC) $(PLUGIN) lib
lib: $(B)/libpressmark.a $(B)/libpressmark.so $(if $(filter release,$(VARIANT)),$(B)/installed/libpressmark.a)
tests: $(TESTS) $(B)/tests/cli/pressmark $(TEST_PLUGIN)
benches: $(BENCHES)

# ---- compiling -------------------------------------------------------------------------------

# The instruction set is the file's suffix, and nowhere else.  Without optimisation gcc's functions of
# AVX-512 are macros, which convert signs.
$(B)/%_sse42.o: ISA := -msse4.2
$(B)/%_avx2.o: ISA := -mavx2 -mbmi -mbmi2 -mpopcnt -mlzcnt
$(B)/%_avx512.o: ISA := -mavx2 -mbmi -mbmi2 -mpopcnt -mlzcnt -mavx512f -mavx512bw -mavx512dq \
                        -mavx512vl -mavx512vbmi -mavx512vbmi2 -mavx512vpopcntdq \
                        $(if $(filter debug cov,$(VARIANT)),-Wno-sign-conversion)

$(B)/%.o: %.c $(B)/flags | check-deps
	@mkdir -p $(@D)
	$(HERE) $(CC) $(PM_CFLAGS) $(ISA) -MMD -MP -c $< -o $@

# The NEON rows compile wherever an aarch64 compiler is at hand; nothing is linked.
.PHONY: neon-check
neon-check:
	@cc=$${NEON_CC:-aarch64-linux-gnu-gcc}; command -v $$cc > /dev/null || { echo "$$cc is not here (Debian: gcc-aarch64-linux-gnu)" >&2; exit 2; }; \
	for f in kernels scan kernels_neon scan_neon kernels_portable scan_portable; do \
	    $$cc $(PM_CFLAGS) -Werror -c common/codec/$$f.c -o /dev/null || exit 1; done; echo 'the NEON rows compile'

# Rebuild when the flags change; link again when the way of linking does.
STAMP_flags = $(CC) $(PM_CFLAGS) $(PM_LDFLAGS)
STAMP_linking = $(STATIC) $(CXX) $(CXXFLAGS)
$(B)/flags $(B)/linking: FORCE
	@mkdir -p $(@D)
	@echo '$(STAMP_$(@F))' | cmp -s - $@ || echo '$(STAMP_$(@F))' > $@
FORCE:
.PHONY: FORCE

check-deps:
	@sh .ci/setup --check build

$(B)/libpressmark.a: $(LIB_OBJ)
	@rm -f $@
	ar rcs $@ $^
# For programs of others: one object in which pm_* alone is global, so that no name of ours can be
# taken for one of theirs, nor theirs for ours.  After -flto it is machine code, which all can link.
$(B)/installed/libpressmark.a: $(LIB_OBJ)
	@mkdir -p $(@D) && rm -f $@
	$(if $(filter -flto%,$(PM_CFLAGS)),$(CC) $(PM_CFLAGS) -nostdlib -flinker-output=nolto-rel,$(LD)) -r -o $(@D)/pressmark.o $^
	objcopy --wildcard --keep-global-symbol='pm_*' $(@D)/pressmark.o
	ar rcs $@ $(@D)/pressmark.o
$(B)/libpressmark.so: $(LIB_OBJ)
	$(CC) -shared -Wl,-soname,libpressmark.so.0 $(PM_LDFLAGS) -o $@ $^ $(DEPS_SHARED)
# xap_absent.o stands before the library, whose loader of plugins is then left out.
$(B)/pressmark: $(CLI_OBJ) $(if $(STATIC),$(B)/common/xapian/xap_absent.o) $(B)/libpressmark.a $(B)/linking
	$(CC) $(or $(STATIC),-pie) $(PM_LDFLAGS) -o $@ $(filter-out %/linking,$^) $(if $(STATIC),$(DEPS_SMALL) -lm,$(DEPS_STATIC))
$(B)/pressmark-dynamic: $(CLI_OBJ) $(B)/libpressmark.a
	$(CC) -pie $(PM_LDFLAGS) -o $@ $^ $(DEPS_STATIC)

XAP_CXXFLAGS = -std=c++20 -I. -fPIC -fvisibility=hidden -ffp-contract=off -Wall -Wextra -Wpedantic -Wshadow \
               $(if $(WERROR),-Werror) $(CFLAGS_$(VARIANT)) $(CXXFLAGS) $(shell xapian-config --cxxflags)
$(B)/common/xapian/%.o: common/xapian/%.cc $(B)/flags $(B)/linking | check-deps
	@mkdir -p $(@D)
	$(HERE) $(CXX) $(XAP_CXXFLAGS) -MMD -MP -c $< -o $@
$(B)/tests/plugin/%.o: common/xapian/%.cc $(B)/flags $(B)/linking | check-deps
	@mkdir -p $(@D)
	$(HERE) $(CXX) $(XAP_CXXFLAGS) -DXAP_TEST -MMD -MP -c $< -o $@
$(PLUGIN): $(XAP_OBJ)
$(TEST_PLUGIN): $(XAP_TEST_OBJ)
$(PLUGIN) $(TEST_PLUGIN):
	$(CXX) -shared $(PM_LDFLAGS) -o $@ $^ $(shell xapian-config --libs)
# The same, dynamic: tests preload a library that makes system calls fail.
$(B)/tests/cli/pressmark: $(CLI_OBJ) $(B)/libpressmark.a
	@mkdir -p $(@D)
	$(CC) -pie $(PM_LDFLAGS) -o $@ $(CLI_OBJ) $(B)/libpressmark.a $(DEPS_STATIC)
$(B)/tests/%: $(B)/tests/%.o $(TEST_LIB_OBJ) $(B)/libpressmark.a
	$(CC) $(PM_LDFLAGS) -o $@ $< $(TEST_LIB_OBJ) $(B)/libpressmark.a $(DEPS_STATIC) -lcmocka
# Refuses memory to C++ code, whose operator new it replaces for all that is loaded.
$(B)/tests/fault/test_xapian_shim: private PM_LDFLAGS += $(foreach s,_Znwm _Znam _ZnwmRKSt9nothrow_t _ZdlPv _ZdlPvm _ZdaPv _ZdaPvm,-Wl,--export-dynamic-symbol=$(s))
# Refuses memory to the C libraries that are linked statically, too: JSON, YAML, zlib, stemmer.
$(B)/tests/fault/test_refused_memory: private PM_LDFLAGS += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=aligned_alloc,--wrap=json_loadb
$(B)/benchmarks/%: $(B)/benchmarks/%.o $(B)/libpressmark.a
	$(CC) $(PM_LDFLAGS) -o $@ $^ $(DEPS_STATIC)

# ---- the two commands of README ------------------------------------------------------------------

.PHONY: demo test setup-build setup-test
setup-build:
	@sh .ci/setup --install build
setup-test:
	@sh .ci/setup --install test

DEMO_INDEX := build/demo.idx
demo: setup-build
	@echo '==> building'
	@$(MAKE) --no-print-directory -s -j$(shell nproc) all
	@echo '==> indexing corpus/articles (five news articles) into $(DEMO_INDEX)'
	@rm -rf $(DEMO_INDEX)
	build/release/pressmark index -i $(DEMO_INDEX) corpus/articles
	@echo '==> asking for "rare earth export controls"'
	build/release/pressmark search -i $(DEMO_INDEX) 'rare earth export controls'

# All tests, in the variants release and asan (address, undefined, leak), then the command line.
# The last line counts everything; the exit status is that of the worst.
test: setup-test
	@sh tests/run release asan

# ---- checks ------------------------------------------------------------------------------------------

.PHONY: lint format damage fault
lint:
	@sh tests/lint/run
format:
	clang-format -i $$(git ls-files '*.c' '*.h')

# Whole-index damage and fault campaigns, unbounded; the last line counts.
damage fault: $(TESTS) $(B)/tests/cli/pressmark
	@PM_FAULT_STRIDE=$${PM_FAULT_STRIDE:-1} PM_FAULT_POINTS=$${PM_FAULT_POINTS:-5000} \
	    PM_DAMAGE_MASKS=$${PM_DAMAGE_MASKS:-bits} \
	    sh tests/campaigns $@ $(filter $(B)/tests/$@/test_%,$(TESTS))

# ---- installation ---------------------------------------------------------------------------------------

.PHONY: install uninstall
TO = "$(DESTDIR)$(PREFIX)"
install: all $(B)/installed/libpressmark.a
	install -d $(TO)/bin $(TO)/lib/pkgconfig $(TO)/lib/pressmark $(TO)/include $(TO)/share/man/man1 \
	    $(TO)/share/bash-completion/completions $(TO)/share/zsh/site-functions
	install -m 755 $(B)/pressmark $(TO)/bin/
	install -m 755 $(PLUGIN) $(DYNAMIC) $(TO)/lib/pressmark/
	install -m 644 pressmark.h $(TO)/include/
	install -m 644 $(B)/installed/libpressmark.a $(TO)/lib/
	install -m 755 $(B)/libpressmark.so $(TO)/lib/libpressmark.so.0
	ln -sf libpressmark.so.0 $(TO)/lib/libpressmark.so
	printf 'prefix=%s\nName: pressmark\nDescription: full-text search engine\nVersion: %s\nCflags: -I$${prefix}/include\nLibs: -L$${prefix}/lib -lpressmark\nLibs.private: -lstemmer -lutf8proc -ljansson -lyaml -ldeflate -lz -lm -pthread\n' \
	    "$(PREFIX)" '$(VERSION)' > $(TO)/lib/pkgconfig/pressmark.pc
	$(B)/pressmark help --man > $(TO)/share/man/man1/pressmark.1
	$(B)/pressmark help --completions bash > $(TO)/share/bash-completion/completions/pressmark
	$(B)/pressmark help --completions zsh > $(TO)/share/zsh/site-functions/_pressmark
	@[ -n "$(DESTDIR)" ] || echo 'ldconfig, as root, lets programs find libpressmark.so.0 where the linker looks'
uninstall:
	cd $(TO) && rm -f bin/pressmark include/pressmark.h lib/libpressmark.a \
	    lib/libpressmark.so lib/libpressmark.so.0 lib/pkgconfig/pressmark.pc share/man/man1/pressmark.1 \
	    share/bash-completion/completions/pressmark share/zsh/site-functions/_pressmark \
	    lib/pressmark/pressmark-xapian.so lib/pressmark/pressmark-dynamic
	[ ! -d $(TO)/lib/pressmark ] || rmdir $(TO)/lib/pressmark

clean:
	rm -rf build

# Of everything that was compiled here, in no list of its own or another.
-include $(shell find $(B) -name '*.d' 2>/dev/null)
.SECONDARY:

# ---- comparison with other engines (benchmarks/peers/README.md) --------------------------------------------

PEERS_DIR := build/peers/bin
PEERS_TOOLS := analyze measure conductor pressmark_driver fts5_driver xapian_driver LuceneDriver.class

.PHONY: bench-peers peers peers-given
peers-given:
	@[ -n '$(CORPUS)' ] && [ -n '$(QUERIES)' ] || { echo 'usage: make bench-peers CORPUS=file.jsonl QUERIES=file' >&2; exit 2; }
bench-peers: peers-given setup-build
	@sh benchmarks/peers/setup
	@echo '==> building the library and the drivers'
	@$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=release build/release/libpressmark.a peers
	@sh benchmarks/peers/run '$(CORPUS)' '$(QUERIES)'
peers: $(PEERS_TOOLS:%=$(PEERS_DIR)/%)

PEERS_CC = @mkdir -p $(@D) && $(CC) $(PM_CFLAGS) -o $@ $< $(PM_LDFLAGS)
PEERS_H := $(wildcard benchmarks/peers/*.h) pressmark.h
$(PEERS_DIR)/measure $(PEERS_DIR)/conductor: $(PEERS_DIR)/%: benchmarks/peers/%.c
	$(PEERS_CC)
$(PEERS_DIR)/analyze $(PEERS_DIR)/pressmark_driver: $(PEERS_DIR)/%: benchmarks/peers/%.c $(PEERS_H) build/release/libpressmark.a
	$(PEERS_CC) build/release/libpressmark.a $(DEPS_STATIC)
$(PEERS_DIR)/fts5_driver: benchmarks/peers/fts5_driver.c $(PEERS_H)
	$(PEERS_CC) -lsqlite3
$(PEERS_DIR)/xapian_driver: benchmarks/peers/xapian_driver.cc $(PEERS_H)
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -Wall -Wextra -Wpedantic -o $@ $< $$(xapian-config --cxxflags --libs)
$(PEERS_DIR)/LuceneDriver.class: benchmarks/peers/LuceneDriver.java
	@mkdir -p $(@D)
	javac -Xlint:all -cp "$$(ls /usr/share/java/lucene-core-8.*.jar /usr/share/java/lucene-analyzers-common-8.*.jar | paste -sd:)" -d $(@D) $<

# ---- long runs -----------------------------------------------------------------------------------------

TWIN_QUERIES ?= 100000
.PHONY: twin nightly
twin: $(PLUGIN)
# Random queries, pruned loops against the exhaustive one and native against Xapian, at each level of kernels.
twin: $(B)/tests/twin/test_prune $(B)/tests/twin/test_prune_phrase $(B)/tests/twin/test_filter $(B)/tests/twin/test_xapian
	@for t in $^; do PM_TEST_QUERIES=$(TWIN_QUERIES) nice -n 19 $$t || exit 1; done
# For a machine that has the night: some 30 GB of disk.
nightly: all benches twin
	@sh benchmarks/scale.sh 5000000 250000
	@INDEX_OPTIONS=--store=no sh benchmarks/scale.sh 20000000 1000000

# ---- campaigns of reliability (RELIABILITY.md) -------------------------------------------------------

SECONDS ?= 30
STATES ?= 300
.PHONY: crash soak powercut fuzz fuzz-programs
CRASH := $(filter-out %/test_soak,$(filter $(B)/tests/crash/%,$(TESTS)))

crash: $(CRASH)
	@PM_CRASH_OPENS=$${PM_CRASH_OPENS:-20000} sh tests/campaigns $@ $(CRASH)
soak: $(B)/tests/crash/test_soak
	@PM_SOAK_SECONDS=$(SECONDS) sh tests/campaigns $@ $<
# ext4, xfs and btrfs, so many states each.  Root, /dev/fuse, loop devices, mkfs; says so where
# one is missing.
powercut: $(B)/tests/crash/powercut
	@nice -n 19 $< $(STATES)

# The same power cuts, and changed bytes, for Xapian and SQLite's FTS5 beside pressmark; their
# packages are installed through apt.  Not part of the tests.
CRASH_PEERS := $(patsubst tests/%.c,$(B)/tests/%.o,$(wildcard tests/crash/peers/*.c))
.PHONY: crash-peers
crash-peers: setup-test
	@sh tests/crash/peers/setup
	@$(MAKE) --no-print-directory -s $(B)/tests/crash/peers/peers
	@nice -n 19 $(B)/tests/crash/peers/peers $(STATES)
	@nice -n 19 $(B)/tests/crash/peers/peers --flips
$(B)/tests/crash/peers/peers: $(CRASH_PEERS) $(B)/tests/crash/peers/peer_xapian.o $(TEST_LIB_OBJ) $(B)/libpressmark.a
	$(CXX) $(PM_LDFLAGS) -o $@ $^ $(DEPS_STATIC) -lcmocka -lsqlite3 $$(xapian-config --libs)
$(B)/tests/crash/peers/peer_xapian.o: tests/crash/peers/peer_xapian.cc tests/crash/peers/peer.h
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -Wall -Wextra -Wpedantic -c $< -o $@ $$(xapian-config --cxxflags)

# Under the thread sanitizer, and a mutant that it must find.
.PHONY: tsan tsan-programs
TSAN_MUTANT := $(B)/tests/tsan/unlocked_split_cache.o
TSAN_TESTS := unit/test_threads unit/test_beside unit/test_side unit/test_merge_beside unit/test_merge_beside_memory unit/test_merge_lists unit/test_list_tasks \
              unit/test_store unit/test_snapshot unit/test_flush unit/test_keysort crash/test_readers crash/test_soak
# Minutes each: make tsan TSAN_LONG=1
TSAN_TESTS_LONG := unit/test_reorder unit/test_writer unit/test_writer_refusals fault/test_refused_calls
tsan:
	@$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=tsan TSAN_LONG=$(TSAN_LONG) tsan-programs
	@nice -n 19 sh tests/tsan/run build/tsan '$(TSAN_TESTS)' '$(if $(TSAN_LONG),$(TSAN_TESTS_LONG))'
tsan-programs: $(B)/pressmark $(B)/tests/tsan/mutant $(addprefix $(B)/tests/,$(TSAN_TESTS) $(if $(TSAN_LONG),$(TSAN_TESTS_LONG)))
$(B)/tests/tsan/mutant: $(B)/tests/unit/test_threads.o $(TSAN_MUTANT) $(TEST_LIB_OBJ) $(B)/libpressmark.a
	$(CC) $(PM_LDFLAGS) -o $@ $^ $(DEPS_STATIC) -lcmocka

# Lines and branches reached, as a table: make coverage [FILES=...] [MISSED=1]
.PHONY: coverage mcdc mutants valgrind
coverage:
	@$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=cov all tests
	@FILES='$(FILES)' MISSED='$(MISSED)' sh tests/coverage/run build/cov
# MC/DC besides, by clang 19 (Debian: clang-19 llvm-19 libclang-rt-19-dev): make mcdc [FILES=...] [MISSED=1]
mcdc:
	@command -v clang-19 >/dev/null && command -v llvm-cov-19 >/dev/null || { echo 'mcdc: skipped: clang-19 or llvm-19 is not installed'; exit 0; }; \
	$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=mcdc CC=clang-19 CXX=clang++-19 all tests && \
	FILES='$(FILES)' MISSED='$(MISSED)' sh tests/coverage/mcdc build/mcdc
# Small changes of a file that a test should notice: make mutants FILE=common/segment/manifest.c
mutants:
	@nice -n 19 sh tests/mutants/run '$(FILE)' '$(LIMIT)'
# The suite under valgrind, at levels of kernels that it knows: hours, on demand.
valgrind: $(TESTS)
	@nice -n 19 sh tests/valgrind/run $(B)

# A build of its own, by clang: make fuzz SECONDS=30 [TARGETS='query codec']
FUZZ_TARGETS := query analyzer front_matter json_line date manifest segment codec tombstones \
                snippet gzip encoding article queries
# Left out: adding 0 to NULL, which an empty slice is (allowed from C2y on).
FUZZ_FLAGS := -fsanitize=address,undefined -fno-sanitize=pointer-overflow \
              -fno-sanitize-recover=all
fuzz:
	@command -v clang >/dev/null || { echo 'fuzz: skipped: clang is not installed'; exit 0; }; \
	$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=fuzz CC=clang LDFLAGS='$(FUZZ_FLAGS)' \
	    CFLAGS='-O1 -g $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link' fuzz-programs && \
	sh tests/fuzz/run build/fuzz $(SECONDS) $(TARGETS)
fuzz-programs: $(FUZZ_TARGETS:%=$(B)/tests/fuzz/fuzz_%) $(B)/tests/fuzz/test_corpus
$(B)/tests/fuzz/fuzz_%: tests/fuzz/libfuzzer.c $(TEST_LIB_OBJ) $(B)/libpressmark.a
	$(CC) $(PM_CFLAGS) -DFUZZ_TARGET=fuzz_$* -fsanitize=fuzzer $(PM_LDFLAGS) -o $@ $^ $(DEPS_STATIC) -lcmocka

# The same targets of whole files, by AFL++ (Debian: afl++): make afl SECONDS=60 [TARGETS='segment manifest']
AFL_TARGETS := segment manifest tombstones
.PHONY: afl afl-programs
afl:
	@command -v afl-fuzz >/dev/null && command -v afl-clang-fast >/dev/null || { echo 'afl: skipped: afl++ is not installed'; exit 0; }; \
	AFL_QUIET=1 $(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=afl CC=afl-clang-fast CFLAGS='-O2 -g' afl-programs && \
	$(MAKE) --no-print-directory -s -j$(shell nproc) VARIANT=asan afl-programs && \
	nice -n 19 sh tests/afl/run build/afl build/asan $(SECONDS) $(or $(TARGETS),$(AFL_TARGETS))
afl-programs: $(AFL_TARGETS:%=$(B)/tests/afl/afl_%) $(B)/tests/fuzz/test_corpus
$(B)/tests/afl/afl_%: tests/afl/persistent.c $(TEST_LIB_OBJ) $(B)/libpressmark.a
	@mkdir -p $(@D)
	$(CC) $(PM_CFLAGS) -DFUZZ_TARGET=fuzz_$* $(PM_LDFLAGS) -o $@ $^ $(DEPS_STATIC) -lcmocka
