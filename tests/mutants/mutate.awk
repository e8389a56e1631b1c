# Small changes of a C file, one a mutant: awk -v want=N prints the file with the N-th change made,
# want=0 one line for each change: number, line, what.  Comments, includes, declarations of tables
# and string literals are left alone.  With -v lanes=1 other ones, of code for vectors: compares, signs,
# constants, masks that keep lanes out.
function try(pattern, by, what,    at, rest, done) {
    rest = code; done = ""
    while (match(rest, pattern)) {
        n++
        if (want == n) changed = done substr(rest, 1, RSTART - 1) by substr(rest, RSTART + RLENGTH)
        if (want == 0) printf "%d\t%d\t%s\n", n, NR, what
        done = done substr(rest, 1, RSTART + RLENGTH - 1)
        rest = substr(rest, RSTART + RLENGTH)
    }
}
# A nought by itself becomes 1; what stands around it stays.
function number(    rest, done) {
    rest = code; done = ""
    while (match(rest, "[^a-zA-Z0-9_.]0[;,) ]")) {
        n++
        if (want == n) changed = done substr(rest, 1, RSTART) "1" substr(rest, RSTART + 2)
        if (want == 0) printf "%d\t%d\t%s\n", n, NR, "0 to 1"
        done = done substr(rest, 1, RSTART + 1)
        rest = substr(rest, RSTART + 2)
    }
}
# Each number from 1 on becomes the next one, each hexadecimal one loses or gets its lowest bit.
function constants(pattern, hex,    rest, done, from, digits, by) {
    rest = code; done = ""
    while (match(rest, "[^a-zA-Z0-9_.]" pattern "[u;,)} ]")) {
        n++
        from = RSTART + 1
        digits = substr(rest, from, RLENGTH - 2)
        by = hex ? "(" digits " ^ 1)" : digits + 1
        if (want == n) changed = done substr(rest, 1, RSTART) by substr(rest, from + length(digits))
        if (want == 0) printf "%d\t%d\t%s\n", n, NR, digits " to " by
        done = done substr(rest, 1, from + length(digits) - 1)
        rest = substr(rest, from + length(digits))
    }
}
function swap(a, b) { try(a, b, a " to " b); try(b, a, b " to " a) }
function vectors() {
    swap("cmple_", "cmplt_"); swap("cmpge_", "cmpgt_"); swap("cmpeq_", "cmpneq_")
    swap("_CMP_GE_OQ", "_CMP_GT_OQ"); swap("TO_NEG_INF", "TO_ZERO")
    swap("epu8_mask", "epi8_mask"); swap("epu16_mask", "epi16_mask"); swap("epu32_mask", "epi32_mask")
    swap("epu64_mask", "epi64_mask"); swap("cvtepu", "cvtepi"); swap("max_epi", "min_epi"); swap("max_p", "min_p")
    swap("_add_", "_sub_"); swap("_and_", "_or_"); swap("maskz_compress", "maskz_expand")
    try(" << ", " >> ", "<< to >>"); try(" >> ", " << ", ">> to <<")
    try(" [*] ", " / ", "* to /"); try(" / ", " * ", "/ to *")
    try(" & ", " | ", "& to |"); try(" [|] ", " & ", "| to &")
    try("~", "", "~ gone")
    try("first_[0-9]+[(]", "(uint64_t)(-1 | (int)", "all lanes")
    try("bits_count[(]", "1 + bits_count(", "a count one more")
    constants("[1-9][0-9]*", 0); constants("0x[0-9a-f]+u?", 1)
}
function statement(line) { return line ~ /^ +[a-z_>.*-]+(\(.*\)| [+|&-]?= .*|\+\+);$/ }
{
    code = $0; changed = ""
    if (inside || code ~ /^[ ]*\/\*/ || code ~ /^#/ || code ~ /"/ || code ~ /^(typedef|static const|enum|_Static)/) {
        if (code ~ /\/\*/) inside = 1
        if (code ~ /\*\//) inside = 0
        if (want) print
        next
    }
    sub(/ *\/\*.*\*\/ *$/, "", code)
    if (code ~ /\/\*/) inside = 1
    if (lanes) {
        vectors()
        if (want) print changed == "" ? $0 : changed
        next
    }
    try(" < ", " <= ", "< to <=");      try(" <= ", " < ", "<= to <")
    try(" > ", " >= ", "> to >=");      try(" >= ", " > ", ">= to >")
    try(" == ", " != ", "== to !=");    try(" != ", " == ", "!= to ==")
    try(" && ", " || ", "&& to ||");    try(" \\|\\| ", " && ", "|| to &&")
    try(" \\+ ", " - ", "+ to -");      try(" - ", " + ", "- to +")
    try("\\|= ", "= ", "|= to =");      try("\\+= ", "-= ", "+= to -=")
    try("return false;", "return true;", "false to true")
    try("return true;", "return false;", "true to false")
    try("if \\(", "if (!", "the first part of a condition negated")
    number()
    if (statement(code)) {
        n++
        if (want == n) changed = ";"
        if (want == 0) printf "%d\t%d\t%s\n", n, NR, "statement gone"
    }
    if (want) print changed == "" ? $0 : changed
}
