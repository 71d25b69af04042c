// Microsoft's own parser of KQL, asked line by line: a text in JSON in, what it says of it out; for
// null, the words of the language.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [home, schema] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const load = (name) => require(`${home}/node_modules/@kusto/language-service-next/${name}`);
load("bridge.js");
load("Kusto.Language.Bridge.js");
const { GlobalState, KustoCode, Symbols, Syntax } = globalThis.Kusto.Language;
const list = (sequence) => globalThis.Bridge.toArray(sequence);

const tables = Object.entries(JSON.parse(schema)).map(
  ([name, columns]) => new Symbols.TableSymbol.$ctor7(name, columns, null),
);
const database = new Symbols.DatabaseSymbol.ctor("workspace", tables);
const globals = GlobalState.Default.WithDatabase(database);

function analyse(text) {
  const code = KustoCode.ParseAndAnalyze(text, globals);
  const columns = code.ResultType?.Columns ?? [];
  return {
    findings: list(code.GetDiagnostics()).map((each) => `${each.Code} ${each.Message}`),
    columns: list(columns).map((each) => [each.Name, each.Type.Name]),
  };
}

const words = () =>
  Object.values(Syntax.SyntaxFacts.kindToDataMap)
    .map((each) => each?.Text ?? "")
    .filter((each) => /^[a-z][a-z0-9_]*$/.test(each));

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const asked = JSON.parse(line);
    answer = asked === null ? { words: words() } : analyse(asked);
  } catch (error) {
    answer = { failed: String(error?.stack ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
