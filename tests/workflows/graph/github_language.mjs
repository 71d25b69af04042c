// GitHub's own parser of workflows and of expressions, asked line by line: JSON in, JSON out.
import { createInterface } from "node:readline";
import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";

// The parser reads its schema without saying that it is JSON, which Node.js refuses.
registerHooks({
  load: (url, context, next) =>
    next(url, url.endsWith(".json") ? { ...context, importAttributes: { type: "json" } } : context),
});
const load = (name) =>
  import(pathToFileURL(`${process.argv[2]}/node_modules/@actions/${name}/dist/index.js`));
const { Lexer, Parser, Evaluator, data } = await load("expressions");
const { parseWorkflow, convertWorkflowTemplate, NoOperationTraceWriter } = await load("workflow-parser");
const CONTEXTS = ["github", "needs", "vars", "inputs", "matrix", "strategy", "jobs", "steps"];
const STATUS = ["always", "success", "failure", "cancelled"];

async function parse({ name, content }) {
  const parsed = parseWorkflow({ name, content }, new NoOperationTraceWriter());
  const errors = parsed.context.errors.getErrors().map((each) => each.message);
  if (errors.length) return { errors, conditions: {} };
  const found = await convertWorkflowTemplate(parsed.context, parsed.value, undefined, {});
  errors.push(...(found.errors ?? []).map((each) => each.Message));
  const conditions = found.jobs.map((job) => [job.id.value, String(job.if)]);
  return { errors, conditions: Object.fromEntries(conditions) };
}

function evaluate(expression, context, status) {
  const functions = new Map(
    STATUS.map((name) => [
      name,
      { name, minArgs: 0, maxArgs: 0, call: () => new data.BooleanData(Boolean(status[name])) },
    ]),
  );
  const tree = new Parser(new Lexer(expression).lex().tokens, CONTEXTS, [
    ...functions.values(),
  ]).parse();
  return new Evaluator(tree, JSON.parse(JSON.stringify(context), data.reviver), functions).evaluate();
}

// A text with expressions in it; one that is nothing else keeps its kind.
function text({ text, context, status }) {
  const alone = /^\s*\$\{\{((?:(?!\}\}).)*)\}\}\s*$/s.exec(text);
  if (alone) return { value: plain(evaluate(alone[1], context, status)) };
  return {
    value: text.replace(/\$\{\{(.*?)\}\}/gs, (_, each) => evaluate(each, context, status).coerceString()),
  };
}

const plain = (value) => JSON.parse(JSON.stringify(value, data.replacer));

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  let answer;
  try {
    answer = asked.parse ? await parse(asked.parse) : text(asked.evaluate);
  } catch (error) {
    answer = { failed: String(error?.message ?? error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
