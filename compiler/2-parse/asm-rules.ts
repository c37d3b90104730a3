import { tokenTypes as t } from "../1-preprocess/token-types.ts";
import type { AsmOperand, AsmStatement, Expression, ExternalDeclaration } from "./ast.ts";
import { DeclarationRules } from "./declaration-rules.ts";
import { textOf } from "./literal-nodes.ts";
import type { Rule } from "./rule-engine.ts";

export abstract class AsmRules extends DeclarationRules {
  readonly fileAsm: Rule<ExternalDeclaration> = this.RULE("fileAsm", (): ExternalDeclaration => {
    const word = this.CONSUME(t.Asm);
    this.MANY(() => this.CONSUME(t.Qualifier));
    const open = this.CONSUME(t.LParen);
    const text = this.SUBRULE(this.stringLiterals);
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    this.semicolon("after top-level asm block");
    return { kind: "file_asm", text: literalText(text), span: this.spanFrom(word) };
  });

  readonly asmStatement = this.RULE("asmStatement", (): AsmStatement => {
    const word = this.CONSUME(t.Asm);
    let isVolatile = false;
    this.MANY(() => {
      this.OR([
        {
          ALT: () => {
            isVolatile = this.CONSUME(t.Qualifier).image.includes("volatile") || isVolatile;
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.FunctionSpecifier);
          },
        },
        {
          ALT: () => {
            this.CONSUME(t.Goto);
            isVolatile = true;
          },
        },
      ]);
    });
    const open = this.CONSUME(t.LParen);
    const template = this.SUBRULE(this.stringLiterals);
    const outputs: AsmOperand[] = [];
    const inputs: AsmOperand[] = [];
    const clobbers: string[] = [];
    const labels: string[] = [];
    let extended = false;
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      extended = true;
      this.SUBRULE(this.asmOperands, { ARGS: [outputs] });
      this.OPTION1(() => {
        this.CONSUME(t.Colon);
        this.SUBRULE(this.asmOperands, { ARGS: [inputs] });
        this.OPTION2(() => {
          this.CONSUME(t.Colon);
          this.SUBRULE(this.asmClobbers, { ARGS: [clobbers] });
          this.OPTION3(() => {
            this.CONSUME(t.Colon);
            this.SUBRULE(this.asmLabels, { ARGS: [labels] });
          });
        });
      });
    });
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    this.semicolon("after asm statement");
    return {
      kind: "asm",
      template: literalText(template),
      templateSpan: template.span,
      // Without outputs it has no purpose but its effect.
      volatile: isVolatile || outputs.length === 0,
      extended,
      outputs,
      inputs,
      clobbers,
      labels,
      span: this.spanFrom(word),
    };
  });

  readonly asmOperands = this.RULE("asmOperands", (list: AsmOperand[]): void => {
    this.OPTION(() => {
      const first = this.SUBRULE(this.asmOperand);
      this.ACTION(() => list.push(first));
      this.MANY(() => {
        this.CONSUME(t.Comma);
        const next = this.SUBRULE(this.asmOperand);
        this.ACTION(() => list.push(next));
      });
    });
  });

  readonly asmOperand = this.RULE("asmOperand", (): AsmOperand => {
    const name = this.OPTION(() => {
      this.CONSUME(t.LBracket);
      const token = this.SUBRULE(this.name);
      this.CONSUME(t.RBracket);
      return token.image;
    });
    const constraint = this.SUBRULE(this.stringLiterals);
    const open = this.CONSUME(t.LParen);
    const value = this.SUBRULE(this.expression);
    this.close(t.RParen, ")", open, () => this.CONSUME(t.RParen));
    return { ...(name !== undefined && { name }), constraint: literalText(constraint), value };
  });

  readonly asmClobbers = this.RULE("asmClobbers", (list: string[]): void => {
    this.OPTION(() => {
      const first = this.SUBRULE(this.stringLiterals);
      this.ACTION(() => list.push(literalText(first)));
      this.MANY(() => {
        this.CONSUME(t.Comma);
        const next = this.SUBRULE(this.stringLiterals);
        this.ACTION(() => list.push(literalText(next)));
      });
    });
  });

  readonly asmLabels = this.RULE("asmLabels", (list: string[]): void => {
    this.asIdentifier();
    this.OPTION(() => {
      const first = this.SUBRULE(this.name);
      this.ACTION(() => list.push(first.image));
      this.MANY(() => {
        this.CONSUME(t.Comma);
        const next = this.SUBRULE(this.name);
        this.ACTION(() => list.push(next.image));
      });
    });
  });
}

function literalText(literal: Expression): string {
  return literal?.kind === "string" ? textOf(literal.bytes) : "";
}
