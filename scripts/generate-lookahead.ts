/**
 * Writes compiler/2-parse/generated/lookahead.ts: the decisions that chevrotain derives from the
 * grammar. Run after any change of the grammar: `npx tsx scripts/generate-lookahead.ts`.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { lookaheadSource } from "../compiler/2-parse/analyse-grammar.ts";

const target = join(import.meta.dirname, "../compiler/2-parse/generated/lookahead.ts");
writeFileSync(target, lookaheadSource());
