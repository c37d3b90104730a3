/** Grammar rules of initialisers (C17 6.7.9, GNU ranges and `name:`). */
import { tokenSpan } from "../1-preprocess/token.ts";
import { tokenTypes as t } from "../1-preprocess/token-types.ts";
import type { Designator, Initializer, InitializerList } from "./ast.ts";
import { DeclaratorRules } from "./declarator-rules.ts";
import { ASSIGNMENT, fieldDesignator } from "./operand-rules.ts";
import type { Rule } from "./rule-engine.ts";

export abstract class InitializerRules extends DeclaratorRules {
  readonly initializer: Rule<Initializer> = this.RULE(
    "initializer",
    (): Initializer =>
      this.OR<Initializer>([
        { ALT: () => this.SUBRULE(this.initializerList) },
        {
          ALT: () => {
            const value = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
            return { kind: "expression", value };
          },
        },
      ]),
  );

  readonly initializerList: Rule<InitializerList> = this.RULE(
    "initializerList",
    (): InitializerList => {
      const items: InitializerList["items"][number][] = [];
      const open = this.CONSUME(t.LBrace);
      this.enterBracket();
      this.markLabel();
      this.OPTION(() => {
        items.push(this.SUBRULE(this.initializerItem));
        this.MANY({
          GATE: () => !this.isNext(t.RBrace, 2) || this.RECORDING_PHASE,
          DEF: () => {
            this.CONSUME(t.Comma);
            this.markLabel();
            items.push(this.SUBRULE(this.initializerItem));
          },
        });
        this.OPTION1(() => this.CONSUME(t.Comma));
      });
      this.close(t.RBrace, "}", open, () => this.CONSUME(t.RBrace));
      this.depth -= 1;
      return { kind: "list", items, span: this.spanFrom(open) };
    },
  );

  readonly initializerItem = this.RULE("initializerItem", (): InitializerList["items"][number] => {
    let designators: readonly Designator[] = [];
    this.OPTION(() => {
      designators = this.SUBRULE(this.designation);
    });
    const value = this.SUBRULE(this.initializer);
    return { designators, value };
  });

  /** `.a[1 ... 2] =`, GNU's `a:` and `[1]` without `=`. */
  readonly designation = this.RULE("designation", (): readonly Designator[] => {
    const path: Designator[] = [];
    this.OR([
      {
        ALT: () => {
          const name = this.CONSUME(t.LabelName);
          this.CONSUME(t.Colon);
          path.push(fieldDesignator(name, tokenSpan(name)));
        },
      },
      {
        ALT: () => {
          path.push(this.SUBRULE(this.designator));
          this.MANY(() => path.push(this.SUBRULE(this.designator)));
          this.OPTION(() => this.CONSUME(t.Assign));
        },
      },
    ]);
    return path;
  });

  readonly designator = this.RULE("designator", (): Designator => {
    const first = this.peek();
    return this.OR<Designator>([
      {
        ALT: () => {
          this.CONSUME(t.Dot);
          return fieldDesignator(this.SUBRULE(this.name), this.spanFrom(first));
        },
      },
      {
        ALT: () => {
          this.CONSUME(t.LBracket);
          const index = this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
          const last = this.OPTION(() => {
            this.CONSUME(t.Ellipsis);
            return this.SUBRULE(this.expression, { ARGS: [ASSIGNMENT] });
          });
          this.close(t.RBracket, "]", first, () => this.CONSUME(t.RBracket));
          const span = this.spanFrom(first);
          return last === undefined
            ? { kind: "index", index, span }
            : { kind: "range", index, last, span };
        },
      },
    ]);
  });
}
