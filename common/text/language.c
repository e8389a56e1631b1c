/* SPDX-License-Identifier: MIT
 *
 * language.c - see language.h.  Takes a folded word, gives its stem.
 *
 * libstemmer does not tell its version, and its stems change between versions.  So the
 * profile carries a fingerprint: a hash of the stems of a fixed list of words, a handful
 * for each family of suffixes.  The list is part of the profile: never edit it.
 */
#include "common/text/language.h"

#include "common/base/hash.h"

#include <libstemmer.h>
#include <stdio.h>
#include <utf8proc.h>

static const struct {
    const char *name, *codes[4];
} languages[] = {
    {"arabic", {"ar", "ara"}},          {"armenian", {"hy", "hye", "arm"}},
    {"basque", {"eu", "eus", "baq"}},   {"catalan", {"ca", "cat"}},
    {"danish", {"da", "dan"}},          {"dutch", {"nl", "nld", "dut"}},
    {"english", {"en", "eng"}},         {"finnish", {"fi", "fin"}},
    {"french", {"fr", "fra", "fre"}},   {"german", {"de", "deu", "ger"}},
    {"greek", {"el", "ell", "gre"}},    {"hindi", {"hi", "hin"}},
    {"hungarian", {"hu", "hun"}},       {"indonesian", {"id", "ind"}},
    {"irish", {"ga", "gle"}},           {"italian", {"it", "ita"}},
    {"lithuanian", {"lt", "lit"}},      {"nepali", {"ne", "nep"}},
    {"norwegian", {"no", "nor", "nb"}}, {"portuguese", {"pt", "por"}},
    {"romanian", {"ro", "ron", "rum"}}, {"russian", {"ru", "rus"}},
    {"serbian", {"sr", "srp"}},         {"spanish", {"es", "spa", "esl"}},
    {"swedish", {"sv", "swe"}},         {"tamil", {"ta", "tam"}},
    {"turkish", {"tr", "tur"}},         {"yiddish", {"yi", "yid"}},
};

static const char *const probe_words[] = {
    "minerals",        "essential",     "negotiations",  "agreed",         "happily",
    "skies",           "dying",         "news",          "relational",     "hopefulness",
    "generously",      "controlling",   "leaders",       "tariffs",        "chinese",
    "aufeinander",     "hauser",        "katzen",        "freundlichkeit", "regierungen",
    "schonsten",       "gouvernement",  "nationales",    "mangerions",     "heureuse",
    "continuellement", "parlait",       "gobiernos",     "hablando",       "naciones",
    "rapidamente",     "corriendo",     "economicas",    "governo",        "parlando",
    "nazionali",       "velocemente",   "governos",      "falando",        "nacoes",
    "regeringen",      "lichamelijk",   "mogelijkheden", "flickorna",      "regeringarna",
    "husene",          "hallituksen",   "taloissa",      "kormanyok",      "hazakban",
    "evlerimizde",     "kitaplarindan", "guvernului",    "casele",         "pemerintahan",
    "berjalan",        "vyriausybes",   "namuose",       "etxeetan",       "vlada",
    "kucama",          "tithe",         "правительства", "переговоров",    "говорили",
    "важныи",          "κυβερνησεις",   "ανθρωπων",      "الحكومات",       "والكتاب",
    "सरकारो",          "लडकिया",        "घरहरु",          "கணகள",           "կառավարության",
    "ממשלות",          "רעגירונגען",
};

/* Whether this libstemmer has the algorithm `name`. */
static bool is_known(const char *name)
{
    for (const char **list = sb_stemmer_list(); *list; list++)
        if (!strcmp(*list, name)) return true;
    return false;
}

/* The canonical name for a code or name; what is in no table may still be a name. */
static const char *canonical(const char *lang)
{
    for (size_t i = 0; i < sizeof languages / sizeof *languages; i++)
        for (size_t k = 0; k < 4 && languages[i].codes[k]; k++)
            if (!strcmp(languages[i].codes[k], lang)) return languages[i].name;
    return lang;
}

static pm_status refuse(const char *lang, pm_error *err)
{
    char known[320] = "none";
    size_t len = strlen(known);
    for (const char **list = sb_stemmer_list(); *list; list++) {
        int n = snprintf(known + len, sizeof known - len, ", %s", *list);
        if (n < 0 || (size_t)n >= sizeof known - len) break;
        len += (size_t)n;
    }
    return error_set(err, PM_USAGE, "unknown language \"%.40s\"; use one of: %s", lang, known);
}

pm_status language_open(language *l, const char *lang, pm_error *err)
{
    *l = (language){0};
    const char *name = canonical(lang);
    bool none = !strcmp(name, "none");
    if (strlen(name) >= LANGUAGE_NAME_MAX || (!none && !is_known(name))) return refuse(lang, err);
    memcpy(l->name, name, strlen(name) + 1);
    if (none) return PM_OK;
    l->stemmer = sb_stemmer_new(name, "UTF_8");
    return l->stemmer ? PM_OK : error_nomem(err);
}

void language_close(language *l)
{
    if (l->stemmer) sb_stemmer_delete(l->stemmer);
    *l = (language){0};
}

const char *language_stem(language *l, const char *word, size_t *len)
{
    if (!l->stemmer) return word;
    const char *stem =
        (const char *)sb_stemmer_stem(l->stemmer, (const sb_symbol *)word, (int)*len);
    if (!stem) return NULL;
    int n = sb_stemmer_length(l->stemmer);
    if (n <= 0) return word;
    *len = (size_t)n;
    if (*len > TERM_MAX_BYTES) /* a stem can be two bytes longer than its word */
        for (*len = TERM_MAX_BYTES; ((uint8_t)stem[*len] & 0xc0) == 0x80;) --*len;
    return stem;
}

pm_status language_profile(language *l, char out[LANGUAGE_PROFILE_MAX], pm_error *err)
{
    uint64_t print = 0;
    for (size_t i = 0; l->stemmer && i < sizeof probe_words / sizeof *probe_words; i++) {
        size_t len = strlen(probe_words[i]);
        const char *stem = language_stem(l, probe_words[i], &len);
        if (!stem) return error_nomem(err);
        print = hash_mix(print ^ hash_bytes(stem, len));
    }
    int n = snprintf(out, LANGUAGE_PROFILE_MAX, "pressmark-1 nfkc-cf unicode-%.16s snowball-%s",
                     utf8proc_unicode_version(), l->name);
    if (l->stemmer && n > 0 && n < LANGUAGE_PROFILE_MAX)
        snprintf(out + n, (size_t)(LANGUAGE_PROFILE_MAX - n), "-%08x", (unsigned)(print >> 32));
    return PM_OK;
}
