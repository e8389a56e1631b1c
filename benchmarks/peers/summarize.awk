# SPDX-License-Identifier: MIT
#
# summarize.awk - the answers of the conductor, condensed to cells.
#
# Takes results.tsv (command, class, query, engine, count, least ns, runs).  Gives, for each
# class, command and engine, in order of first appearance:
#   class command engine queries mean_us p99_us max_us equal compared slower
# separated by tabs.  p99 is the nearest rank.  equal of compared: queries whose count is that
# of the first engine.  slower, on the first engine's line: queries where it is slower than
# the fastest other engine by more than 25 % and 5 us.  An engine that cannot express every
# query of a class has "-" for its times: means over different queries are not compared.

BEGIN { FS = OFS = "\t" }

function order(list, seen, name) { if (!(name in seen)) { seen[name] = ++list[0]; list[list[0]] = name } }

{
    order(commands, commands_seen, $1); order(classes, classes_seen, $2); order(engines, engines_seen, $4)
    cell = $2 FS $1
    if ($4 == engines[1]) { n[cell]++; first_count = $5; first_ns = $6; best = -1 }
    if ($5 == "-") missing[cell, $4]++
    else { ns[cell, $4, ++have[cell, $4]] = $6; sum[cell, $4] += $6 }
    if ($4 == engines[1] || $5 == "-" || first_count == "-") next
    compared[cell, $4]++
    equal[cell, $4] += $5 == first_count
    # The fastest other engine so far; the verdict is corrected as more of them come.
    was_slow = best >= 0 && first_ns > 1.25 * best && first_ns > best + 5000
    if (best < 0 || $6 < best) best = $6
    slower[cell] += (first_ns > 1.25 * best && first_ns > best + 5000) - was_slow
}

# Shell sort of v[1..n].
function sort(v, n,   gap, i, j, x) {
    for (gap = int(n / 2); gap > 0; gap = int(gap / 2))
        for (i = gap + 1; i <= n; i++) {
            x = v[i]
            for (j = i; j > gap && v[j - gap] > x; j -= gap) v[j] = v[j - gap]
            v[j] = x
        }
}

function times(cell, engine,   v, i, count, rank) {
    count = have[cell, engine]
    if (missing[cell, engine] || !count) return "-" OFS "-" OFS "-"
    for (i = 1; i <= count; i++) v[i] = ns[cell, engine, i] + 0
    sort(v, count)
    rank = int(0.99 * count); if (rank < 0.99 * count) rank++
    return sprintf("%.3f\t%.3f\t%.3f", sum[cell, engine] / count / 1000, v[rank] / 1000, v[count] / 1000)
}

END {
    for (i = 1; i <= classes[0]; i++)
        for (j = 1; j <= commands[0]; j++)
            for (k = 1; k <= engines[0]; k++) {
                cell = classes[i] FS commands[j]; engine = engines[k]
                print classes[i], commands[j], engine, n[cell], times(cell, engine), \
                    equal[cell, engine] + 0, compared[cell, engine] + 0, k == 1 ? slower[cell] + 0 : "-"
            }
}
