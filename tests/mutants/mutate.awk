# Small changes of a C file, one a mutant: awk -v want=N prints the file with the N-th change made,
# want=0 one line for each change: number, line, what.  Comments, includes, declarations of tables
# and string literals are left alone.
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
