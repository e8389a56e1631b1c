# SPDX-License-Identifier: MIT
#
# plot.awk - the comparison as one SVG picture.
#
# Takes cells.tsv.  A panel for each command; in it a group of bars for each class, a bar for
# each engine: mean microseconds on a logarithmic axis that all panels share, with a thin
# line up to p99.  No scripts, no fonts to load, colours that differ in lightness too.

BEGIN {
    FS = "\t"
    title["pressmark"] = "pressmark"; title["xapian"] = "Xapian"
    title["fts5"] = "SQLite FTS5"; title["lucene"] = "Lucene 8"
    split("#b3282d #7f8fa6 #c9b458 #3f6f5f #8a6fb0 #555555", colour, " ")
    left = 56; top = 96; panel_w = 520; panel_h = 220; gap_x = 40; gap_y = 70; columns = 2
}

function order(list, seen, name) { if (!(name in seen)) { seen[name] = ++list[0]; list[list[0]] = name } }

{
    order(classes, classes_seen, $1); order(commands, commands_seen, $2); order(engines, engines_seen, $3)
    mean[$2, $1, $3] = $5; p99[$2, $1, $3] = $6
    if ($5 == "-") next
    if (!low || $5 < low) low = $5 + 0
    if ($6 + 0 > high) high = $6 + 0
}

function log10(x) { return log(x) / log(10) }
function floor(x,   n) { n = int(x); return n > x ? n - 1 : n }
function y_of(us) { return panel_h * (1 - (log10(us) - bottom) / (ceiling - bottom)) }
function text(x, y, anchor, size, what) {
    printf "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" font-size=\"%d\">%s</text>\n", x, y, anchor, size, what
}
function label(decade) {
    if (decade < 0) return 10 ^ decade " us"
    if (decade < 3) return 10 ^ decade " us"
    return decade < 6 ? 10 ^ (decade - 3) " ms" : 10 ^ (decade - 6) " s"
}

function draw_axis(   d) {
    for (d = bottom; d <= ceiling; d++) {
        printf "<line x1=\"0\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\" stroke=\"#ddd\"/>\n", y_of(10 ^ d), panel_w, y_of(10 ^ d)
        text(-6, y_of(10 ^ d) + 4, "end", 11, label(d))
    }
}

function draw_bar(x, width, value, worst, k, what,   y) {
    y = y_of(value)
    printf "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill=\"%s\"><title>%s</title></rect>\n",
        x, y, width, panel_h - y, colour[k], what
    printf "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n",
        x + width / 2, y_of(worst), x + width / 2, y, colour[k]
}

function draw_panel(command,   group, bar, c, k, value, x) {
    printf "<g transform=\"translate(%d,%d)\">\n", at_x, at_y
    text(0, -12, "start", 14, command)
    draw_axis()
    group = panel_w / classes[0]; bar = group * 0.8 / engines[0]
    for (c = 1; c <= classes[0]; c++) {
        for (k = 1; k <= engines[0]; k++) {
            value = mean[command, classes[c], engines[k]]
            if (value == "-" || value == "") continue
            x = (c - 1) * group + group * 0.1 + (k - 1) * bar
            draw_bar(x, bar * 0.9, value, p99[command, classes[c], engines[k]], k, \
                sprintf("%s, %s: mean %.1f us, p99 %.1f us", name(engines[k]), classes[c], value, p99[command, classes[c], engines[k]]))
        }
        text((c - 0.5) * group, panel_h + (classes[0] > 4 && c % 2 == 0 ? 29 : 16), "middle", 11, classes[c])
    }
    printf "<line x1=\"0\" y1=\"%d\" x2=\"%d\" y2=\"%d\" stroke=\"#333\"/>\n</g>\n", panel_h, panel_w, panel_h
}

function name(e) { return e in title ? title[e] : e }

END {
    bottom = floor(log10(low)); ceiling = floor(log10(high)) + 1
    rows = int((commands[0] + columns - 1) / columns)
    width = left + columns * (panel_w + left) + gap_x
    height = top + rows * (panel_h + gap_y) + 10
    printf "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" font-family=\"sans-serif\" fill=\"#222\">\n", width, height, width, height
    printf "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n", width, height
    text(left, 26, "start", 16, "Mean time of a query (bar) and p99 (line), fastest run of each query, one thread, logarithmic")
    for (k = 1; k <= engines[0]; k++) {
        printf "<rect x=\"%d\" y=\"38\" width=\"12\" height=\"12\" fill=\"%s\"/>\n", left + (k - 1) * 130, colour[k]
        text(left + (k - 1) * 130 + 18, 49, "start", 12, name(engines[k]))
    }
    for (c = 1; c <= commands[0]; c++) {
        at_x = left + ((c - 1) % columns) * (panel_w + left + gap_x)
        at_y = top + int((c - 1) / columns) * (panel_h + gap_y)
        draw_panel(commands[c])
    }
    print "</svg>"
}
