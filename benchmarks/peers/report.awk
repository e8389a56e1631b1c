# SPDX-License-Identifier: MIT
#
# report.awk - the comparison as a Markdown page.
#
# Takes environment.tsv, indexing.tsv, queries.tsv, results.tsv, cells.tsv in this order.
# Exits 1 when an engine's documents, tokens or counts differ from the first engine's.

BEGIN {
    FS = "\t"
    title["pressmark"] = "pressmark"; title["xapian"] = "Xapian"
    title["fts5"] = "SQLite FTS5"; title["lucene"] = "Lucene 8"
    shown_max = 20
}
FNR == 1 { file++ }
file == 1 { env[$1] = $2 }
file == 2 { take_fact() }
file == 3 { written[FNR] = $2 }
file == 4 { judge_count() }
file == 5 { take_cell() }

# The facts of the common terms by their names, those of an engine alone behind its form.
function take_fact() {
    if (!($1 in seen)) { seen[$1] = 1; engine[++engines] = $1 }
    fact[$1, $2 == "terms" ? $3 : $2 " " $3] = $4
    if ($2 != "terms") measured[$2] = 1
}

function judge_count() {
    if ($4 == engine[1]) { expected = $5; return }
    if ($5 == "-" || expected == "-" || $5 == expected) return
    if (++unequal <= shown_max)
        shown[unequal] = "| `" $1 "` | `" written[$3] "` | " title[$4] " | " $5 " | " expected " |"
}

function take_cell(   cell) {
    cell = $1 FS $2
    if (!(cell in queries)) { order[++cells] = cell; queries[cell] = $4 }
    mean[cell, $3] = $5; p99[cell, $3] = $6; max[cell, $3] = $7
    equal[cell, $3] = $8; compared[cell, $3] = $9
    if ($10 != "-") slower[cell] = $10
}

function name(e) { return e in title ? title[e] : e }
function us(x) { return x == "-" ? "–" : x < 10 ? sprintf("%.2f", x) : x < 100 ? sprintf("%.1f", x) : sprintf("%.0f", x) }
function ratio(peer, ours) {
    if (peer == "-" || ours == "-" || ours == 0) return "–"
    return us(peer / ours) "x"
}
function mb(bytes) { return sprintf("%.1f", bytes / 1e6) }
function rule(columns,   i, line) {
    line = "|---|---|"
    for (i = 1; i <= columns; i++) line = line "--:|"
    print line
}
# Prints "| class | command" of a cell.
function head(c,   part) { split(order[c], part, FS); printf "| %s | %s", part[1], part[2] }

function print_machine(   i) {
    printf "# %s and its peers\n\n", name(engine[1])
    printf "%s, %s cores, %s; %s. Commit %s.\n\n", env["processor"], env["cores"], env["memory"], env["system"], env["commit"]
    for (i = 1; i <= engines; i++) printf "%s%s", (i == 1 ? "Engines: " : "; "), fact[engine[i], "version"]
    print ".\n"
    printf "Corpus `%s`: %s documents, %s MB of title and text, %s terms with repetitions (%s cut at 240 bytes). ",
        env["corpus"], env["corpus_records"], mb(env["corpus_bytes"]), env["corpus_terms"], env["corpus_cut"]
    printf "Queries `%s`. One thread, warm (%s s an engine and command), at most %s runs a query, interleaved by rounds, ",
        env["queries"], env["warmup_s"], env["rounds"]
    printf "no more after %s ms.\n", env["budget_ms"]
}

function print_indexing(   i, e, text) {
    text = env["corpus_bytes"]
    print "\n## Indexing\n"
    print "One thread, positions, no stored text, ending in one segment (or compacted). " \
        "The peers read terms that are analysed already; pressmark reads JSON and analyses it.\n"
    print "| engine | documents | tokens | wall s | of it finishing | CPU s | MB/s of text | index MB | of the text | peak RSS MB |"
    print "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for (i = 1; i <= engines; i++) {
        e = engine[i]
        printf "| %s | %s | %s | %.2f | %.2f | %.2f | %.1f | %s | %.1f %% | %.0f |\n", name(e), fact[e, "documents"],
            fact[e, "tokens"], fact[e, "wall_seconds"], fact[e, "finish_seconds"], fact[e, "cpu_seconds"],
            text / 1e6 / fact[e, "wall_seconds"], mb(fact[e, "index_bytes"]), 100 * fact[e, "index_bytes"] / text,
            fact[e, "peak_rss_bytes"] / 1e6
    }
}

# MB/s of text of an engine that did its own analysis, and how many times that the first engine does.
function rate(e, form) { return env["corpus_bytes"] / 1e6 / fact[e, form " wall_seconds"] }
function alone(e, form) {
    if (!(form in measured)) return "– | – | – | –"
    return sprintf("%.1f | %s | %s | %.0f", rate(e, form),
        e == engine[1] ? "" : sprintf("%.2fx", rate(engine[1], form) / rate(e, form)),
        mb(fact[e, form " index_bytes"]), fact[e, form " peak_rss_bytes"] / 1e6)
}

function print_alone(   i, e, form) {
    for (form in measured) break
    if (form == "") return
    print "\n## Indexing, each with its own analysis\n"
    print "As above, but every engine analyses title and text itself, stems included; once without stored text, once with it. " \
        "The peers are spared JSON alone.\n"
    printf "| engine | analysis | no stored text: MB/s | times slower | index MB | peak RSS MB "
    print "| stored text: MB/s | times slower | index MB | peak RSS MB |"
    print "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|"
    for (i = 1; i <= engines; i++) {
        e = engine[i]
        printf "| %s | %s | %s | %s |\n", name(e), fact[e, "analysis"], alone(e, "text"), alone(e, "stored")
    }
}

function print_times(   i, c) {
    print "\n## Searching: microseconds\n"
    print "Mean / p99 / worst over the queries, of each query's fastest run; measured inside the engine, " \
        "round the search call.\n"
    printf "| class | command | queries"
    for (i = 1; i <= engines; i++) printf " | %s", name(engine[i])
    print " |"; rule(engines + 1)
    for (c = 1; c <= cells; c++) {
        head(c)
        printf " | %s", queries[order[c]]
        for (i = 1; i <= engines; i++) {
            if (mean[order[c], engine[i]] == "-") { printf " | –"; continue }
            printf " | %s / %s / %s", us(mean[order[c], engine[i]]), us(p99[order[c], engine[i]]), us(max[order[c], engine[i]])
        }
        print " |"
    }
}

function print_ratios(   i, c) {
    printf "\n## Searching: times the mean of %s\n\n", name(engine[1])
    printf "Above 1x the peer is slower. Last column: queries where %s is slower than the fastest peer by " \
        "more than 25 %% and 5 us.\n\n", name(engine[1])
    printf "| class | command"
    for (i = 2; i <= engines; i++) printf " | %s", name(engine[i])
    print " | slower than the best |"; rule(engines)
    for (c = 1; c <= cells; c++) {
        head(c)
        for (i = 2; i <= engines; i++) printf " | %s", ratio(mean[order[c], engine[i]], mean[order[c], engine[1]])
        printf " | %s of %s (%.1f %%) |\n", slower[order[c]], queries[order[c]], 100 * slower[order[c]] / queries[order[c]]
    }
}

function print_agreement(   i, c) {
    printf "\n## Counts equal to those of %s\n\n", name(engine[1])
    print "Equal / compared. For TOP_k the number of hits returned, else of matching documents.\n"
    printf "| class | command"
    for (i = 2; i <= engines; i++) printf " | %s", name(engine[i])
    print " |"; rule(engines - 1)
    for (c = 1; c <= cells; c++) {
        head(c)
        for (i = 2; i <= engines; i++)
            printf " | %s / %s", equal[order[c], engine[i]], compared[order[c], engine[i]]
        print " |"
    }
    if (!unequal) return
    printf "\n%d counts differ; the first:\n\n| command | query | engine | count | %s |\n|---|---|---|--:|--:|\n", unequal, name(engine[1])
    for (i = 1; i <= unequal && i <= shown_max; i++) print shown[i]
}

# The corpus must be the same: documents and tokens.
function print_corpora(   i, e, bad) {
    for (i = 2; i <= engines; i++) {
        e = engine[i]
        if (fact[e, "documents"] == fact[engine[1], "documents"] && fact[e, "tokens"] == fact[engine[1], "tokens"]) continue
        printf "\n**%s holds another number of documents or tokens than %s: the figures are not comparable.**\n", name(e), name(engine[1])
        bad = 1
    }
    return bad
}

END {
    print_machine()
    print_indexing()
    bad = print_corpora()
    print_alone()
    print_times()
    print_ratios()
    print_agreement()
    exit ((bad || unequal) ? 1 : 0)
}
