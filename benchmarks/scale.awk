# SPDX-License-Identifier: MIT
#
# scale.awk - the rate of indexing against what is indexed already: Markdown, and one SVG picture.
#
# Takes lines<TAB>bytes<TAB>seconds (pace.c).

function field(name,   at) {
    at = match(index_json, "\"" name "\":[0-9.]+")
    return at ? substr(index_json, RSTART + length(name) + 3, RLENGTH - length(name) - 3) + 0 : 0
}

BEGIN { FS = "\t" }

{
    n++
    lines[n] = $1; seconds[n] = $3
    rate[n] = (lines[n] - lines[n - 1]) / (seconds[n] - seconds[n - 1] + 1e-9)
    if (lines[n] - lines[n - 1] < (lines[1] / 2)) { n--; next }   # a last step that is hardly one
    if (rate[n] > high) high = rate[n]
}

END {
    printf "# Indexing %d generated articles\n\n", lines[n]
    printf "%s; `pressmark index %s-`, from a pipe.\n\n", machine, options == "" ? "" : options " "
    printf "| | |\n|---|--:|\n"
    printf "| seconds, commit included | %.1f |\n| articles a second | %.0f |\n", total, field("added") / total
    printf "| MB of title and text a second | %.1f |\n", field("text_bytes") / total / 1e6
    printf "| peak memory, MB | %.0f |\n| index, MB | %.0f |\n", field("peak_rss_bytes") / 1e6, field("index_bytes") / 1e6
    printf "| segments | %d |\n", segments
    printf "| first and last quarter, articles a second | %.0f, %.0f |\n\n", quarter(1), quarter(4)
    printf "| articles | articles a second in this step |\n|--:|--:|\n"
    for (i = 1; i <= n; i++) printf "| %d | %.0f |\n", lines[i], rate[i]
    draw()
}

function quarter(q,   from, to) {
    from = int((q - 1) * n / 4); to = int(q * n / 4)
    if (to <= from) to = from + 1
    return (lines[to] - lines[from]) / (seconds[to] - seconds[from] + 1e-9)
}

function draw(   i, x, y, w, h) {
    w = 720; h = 300
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" font-size=\"12\">\n", w + 110, h + 80 > plot
    printf "<text x=\"70\" y=\"20\">Articles a second, while there are so many already</text>\n" > plot
    for (i = 0; i <= 4; i++) {
        y = 40 + h - i * h / 4
        printf "<line x1=\"70\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\" stroke=\"#ddd\"/><text x=\"64\" y=\"%.1f\" text-anchor=\"end\">%.0f</text>\n", 70 + w, y, y, y + 4, high * i / 4 > plot
        x = 70 + i * w / 4
        printf "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.2f M</text>\n", x, 60 + h, lines[n] * i / 4 / 1e6 > plot
    }
    printf "<polyline fill=\"none\" stroke=\"#b3282d\" stroke-width=\"2\" points=\"" > plot
    for (i = 1; i <= n; i++)
        printf "%.1f,%.1f ", 70 + w * (lines[i] + lines[i - 1]) / 2 / lines[n], 40 + h - h * rate[i] / high > plot
    printf "\"/>\n</svg>\n" > plot
}
