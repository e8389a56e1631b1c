/* SPDX-License-Identifier: MIT
 *
 * LuceneDriver.java - Lucene 8 on the protocol of the comparison (peer_protocol.h).
 *
 *   java LuceneDriver index DIR FILE FORM    one thread, merged to one segment
 *   java LuceneDriver search DIR             requests on standard input, answers on output
 *
 * Why this way: WhitespaceTokenizer keeps pressmark's terms as they are; title and body are
 * two values of one field with a position gap; only an id is stored.  The query cache is off
 * (every run must do the work) and TOP_k may stop counting at k, which is Lucene's fastest
 * way.  Building the Query is outside the clock, the search inside.  Its own analysis is the
 * chain of its EnglishAnalyzer without stop words, so that all words are indexed.
 */
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.List;
import org.apache.lucene.analysis.Analyzer;
import org.apache.lucene.analysis.LowerCaseFilter;
import org.apache.lucene.analysis.TokenStream;
import org.apache.lucene.analysis.core.WhitespaceTokenizer;
import org.apache.lucene.analysis.en.EnglishPossessiveFilter;
import org.apache.lucene.analysis.en.PorterStemFilter;
import org.apache.lucene.analysis.standard.StandardTokenizer;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.Field;
import org.apache.lucene.document.StoredField;
import org.apache.lucene.document.TextField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SerialMergeScheduler;
import org.apache.lucene.index.Term;
import org.apache.lucene.search.BooleanClause.Occur;
import org.apache.lucene.search.BooleanQuery;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.PhraseQuery;
import org.apache.lucene.search.Query;
import org.apache.lucene.search.TermQuery;
import org.apache.lucene.search.TopDocs;
import org.apache.lucene.search.TopScoreDocCollector;
import org.apache.lucene.search.similarities.BM25Similarity;
import org.apache.lucene.store.FSDirectory;
import org.apache.lucene.store.MMapDirectory;
import org.apache.lucene.util.Version;

public final class LuceneDriver {
    private static final String FIELD = "article";
    private static final int GAP = 100;
    private static final double BUFFER_MB = 512;

    /** Splits terms at spaces, or texts as English; a second value of a field begins GAP
        positions later. */
    private static final class FieldAnalyzer extends Analyzer {
        private final boolean terms;

        FieldAnalyzer(boolean terms) {
            this.terms = terms;
        }

        @Override
        protected TokenStreamComponents createComponents(String field) {
            if (terms) return new TokenStreamComponents(new WhitespaceTokenizer());
            StandardTokenizer words = new StandardTokenizer();
            TokenStream lower = new LowerCaseFilter(new EnglishPossessiveFilter(words));
            return new TokenStreamComponents(words, new PorterStemFilter(lower));
        }

        @Override
        public int getPositionIncrementGap(String field) {
            return GAP;
        }
    }

    /** One clause of a query: sign '+', '-' or ' ', and what it asks for. */
    private static final class Clause {
        final char sign;
        final Query query;

        Clause(char sign, String[] words) {
            this.sign = sign;
            if (words.length == 1) {
                query = new TermQuery(new Term(FIELD, words[0]));
                return;
            }
            PhraseQuery.Builder phrase = new PhraseQuery.Builder();
            for (String word : words) phrase.add(new Term(FIELD, word));
            query = phrase.build();
        }
    }

    private static Document document(String line, Field.Store store) {
        String[] parts = line.split("\t", 3);
        Document document = new Document();
        document.add(new StoredField("id", parts[0]));
        document.add(new TextField(FIELD, parts[1], store));
        document.add(new TextField(FIELD, parts[2], store));
        return document;
    }

    private static void index(Path dir, Path file, String form) throws IOException {
        Field.Store store = form.equals("stored") ? Field.Store.YES : Field.Store.NO;
        IndexWriterConfig config =
                new IndexWriterConfig(new FieldAnalyzer(form.equals("terms")));
        config.setSimilarity(new BM25Similarity(1.2f, 0.75f));
        config.setRAMBufferSizeMB(BUFFER_MB);
        config.setMergeScheduler(new SerialMergeScheduler());
        config.setUseCompoundFile(false);
        config.setOpenMode(IndexWriterConfig.OpenMode.CREATE);
        long start;
        try (FSDirectory directory = new MMapDirectory(dir);
                IndexWriter writer = new IndexWriter(directory, config);
                BufferedReader in = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
            for (String line = in.readLine(); line != null; line = in.readLine())
                writer.addDocument(document(line, store));
            start = System.nanoTime();
            writer.forceMerge(1);
            writer.commit();
        }
        double seconds = (System.nanoTime() - start) / 1e9;
        try (FSDirectory directory = new MMapDirectory(dir);
                DirectoryReader reader = DirectoryReader.open(directory)) {
            System.out.printf("documents\t%d%n", reader.numDocs());
            System.out.printf("tokens\t%d%n", reader.getSumTotalTermFreq(FIELD));
            System.out.printf("finish_seconds\t%.3f%n", seconds);
            System.out.printf("version\tLucene %s, Java %s%n", Version.LATEST,
                    System.getProperty("java.version"));
            System.out.printf("analysis\tStandardTokenizer, possessives, lower case, Porter%n");
        }
    }

    private static List<Clause> parse(String text) {
        List<Clause> clauses = new ArrayList<>();
        for (int at = 0; at < text.length(); ) {
            char sign = ' ';
            if (text.charAt(at) == '+' || text.charAt(at) == '-') sign = text.charAt(at++);
            boolean quoted = text.charAt(at) == '"';
            if (quoted) at++;
            int end = text.indexOf(quoted ? '"' : ' ', at);
            if (end < 0) end = text.length();
            clauses.add(new Clause(sign, text.substring(at, end).split(" ")));
            at = end + 1;
            while (at < text.length() && text.charAt(at) == ' ') at++;
        }
        return clauses;
    }

    private static Query build(String text) {
        List<Clause> clauses = parse(text);
        if (clauses.size() == 1) return clauses.get(0).query;
        BooleanQuery.Builder query = new BooleanQuery.Builder();
        for (Clause clause : clauses) {
            Occur occur = clause.sign == '+' ? Occur.MUST
                    : clause.sign == '-' ? Occur.MUST_NOT : Occur.SHOULD;
            query.add(clause.query, occur);
        }
        return query.build();
    }

    private static String answer(IndexSearcher searcher, String request) throws IOException {
        int tab = request.indexOf('\t');
        String command = request.substring(0, tab);
        Query query = build(request.substring(tab + 1));
        if (command.equals("COUNT")) {
            long start = System.nanoTime();
            long count = searcher.count(query);
            return count + "\t" + (System.nanoTime() - start);
        }
        boolean counted = command.endsWith("_COUNT");
        int k = Integer.parseInt(command.substring(4, command.length() - (counted ? 6 : 0)));
        long start = System.nanoTime();
        TopScoreDocCollector collector =
                TopScoreDocCollector.create(k, counted ? Integer.MAX_VALUE : k);
        searcher.search(query, collector);
        TopDocs top = collector.topDocs();
        long count = counted ? top.totalHits.value : top.scoreDocs.length;
        return count + "\t" + (System.nanoTime() - start);
    }

    private static void search(Path dir) throws IOException {
        try (FSDirectory directory = new MMapDirectory(dir);
                DirectoryReader reader = DirectoryReader.open(directory);
                PrintStream out = new PrintStream(System.out, false, "UTF-8");
                BufferedReader in = new BufferedReader(
                        new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
            IndexSearcher searcher = new IndexSearcher(reader);
            searcher.setSimilarity(new BM25Similarity(1.2f, 0.75f));
            searcher.setQueryCache(null);
            for (String line = in.readLine(); line != null; line = in.readLine()) {
                out.print(answer(searcher, line) + "\n");
                out.flush();
            }
        }
    }

    public static void main(String[] args) throws IOException {
        if (args.length == 4 && args[0].equals("index")) {
            index(Paths.get(args[1]), Paths.get(args[2]), args[3]);
        } else if (args.length == 2 && args[0].equals("search")) {
            search(Paths.get(args[1]));
        } else {
            System.err.println("usage: LuceneDriver index DIR FILE terms|text|stored | search DIR");
            System.exit(2);
        }
    }
}
