/**
 * Messages to the user. Phases collect them and recover; the pipeline stops between phases if
 * there are errors. Only {@link InternalError} is thrown.
 */
import type { Span } from "./source.ts";

export type Severity = "error" | "warning" | "note";

export interface DiagnosticNote {
  readonly message: string;
  readonly span?: Span;
}

/** A mechanical change of the source that cures the diagnostic. */
export interface FixIt {
  readonly span: Span;
  readonly replacement: string;
}

export interface Diagnostic {
  readonly severity: Severity;
  /** Stable kebab-case name, e.g. `undeclared-identifier`; for warnings the name after `-W`. */
  readonly code: string;
  readonly message: string;
  /** Absent where there is no place: a missing file, a bad option. */
  readonly span?: Span;
  readonly notes?: readonly DiagnosticNote[];
  readonly help?: string;
  readonly fixIts?: readonly FixIt[];
}

/** Collects diagnostics in the order they are found. */
export class Diagnostics {
  readonly list: Diagnostic[] = [];
  #errorCount = 0;

  get hasErrors(): boolean {
    return this.#errorCount > 0;
  }

  get errorCount(): number {
    return this.#errorCount;
  }

  add(diagnostic: Diagnostic): void {
    this.list.push(diagnostic);
    if (diagnostic.severity === "error") this.#errorCount += 1;
  }

  error(code: string, message: string, span?: Span, extra: DiagnosticExtra = {}): void {
    this.add({ severity: "error", code, message, ...(span && { span }), ...extra });
  }

  warning(code: string, message: string, span?: Span, extra: DiagnosticExtra = {}): void {
    this.add({ severity: "warning", code, message, ...(span && { span }), ...extra });
  }
}

export type DiagnosticExtra = Pick<Diagnostic, "notes" | "help" | "fixIts">;

/** A bug of ours: the input is not at fault. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** Marks code that exhaustive handling makes impossible to reach. */
export function unreachable(value: never, what = "value"): never {
  throw new InternalError(`unexpected ${what}: ${JSON.stringify(value)}`);
}
