// Microsoft's own schema and renderer of Adaptive Cards, asked once: a list of cards in JSON on
// stdin, the schema and what the renderer finds wrong with each on stdout.
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const [renderer, designer] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const { AdaptiveCard, SerializationContext, Version, Versions } = require(
  `${renderer}/node_modules/adaptivecards/dist/adaptivecards.js`,
);
const { adaptiveCardSchema } = require(
  `${designer}/node_modules/adaptivecards-designer/lib/adaptive-card-schema.js`,
);

function findings(json) {
  const card = new AdaptiveCard();
  const context = new SerializationContext(Versions.v1_4);
  card.parse(json, context);
  const parsed = Array.from({ length: context.eventCount }, (_, n) => context.getEventAt(n).message);
  const checked = card.validateProperties().validationEvents.map((each) => each.message);
  return [...parsed, ...checked];
}

const cards = JSON.parse(await text(process.stdin));
console.log(JSON.stringify({ schema: adaptiveCardSchema, findings: cards.map(findings) }));
