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
  /** An error that is a warning by nature: its `-W` name can turn it down or off. */
  readonly defaultError?: true;
  /** An error after which nothing more is read. */
  readonly fatal?: true;
  /** A warning that -Werror or a pragma made an error. */
  readonly promoted?: true;
}

/** Decides what becomes of diagnostics. */
export interface DiagnosticPolicy {
  /** What is kept of a diagnostic, if anything. */
  apply(diagnostic: Diagnostic): Diagnostic | undefined;
  /** Whether a warning of this code would be kept at the place; spares costly searches. */
  isOn(code: string, span: Span): boolean;
}

/** Collects diagnostics in the order they are found. */
export class Diagnostics {
  readonly list: Diagnostic[] = [];
  /** Applied to each before it is kept; without one all are kept. */
  policy: DiagnosticPolicy | undefined;
  #errorCount = 0;
  #faultCount = 0;

  get hasErrors(): boolean {
    return this.#errorCount > 0;
  }

  get errorCount(): number {
    return this.#errorCount;
  }

  /** Errors that leave part of the program without a meaning: all but promoted warnings. */
  get faultCount(): number {
    return this.#faultCount;
  }

  add(diagnostic: Diagnostic): void {
    const kept = this.policy === undefined ? diagnostic : this.policy.apply(diagnostic);
    if (kept === undefined) return;
    this.list.push(kept);
    if (kept.severity !== "error") return;
    this.#errorCount += 1;
    if (kept.promoted !== true) this.#faultCount += 1;
  }

  /** Whether a warning of this code would be kept at the place. */
  isOn(code: string, span: Span): boolean {
    return this.policy?.isOn(code, span) ?? true;
  }

  error(code: string, message: string, span?: Span, extra: DiagnosticExtra = {}): void {
    this.add({ severity: "error", code, message, ...(span && { span }), ...extra });
  }

  warning(code: string, message: string, span?: Span, extra: DiagnosticExtra = {}): void {
    this.add({ severity: "warning", code, message, ...(span && { span }), ...extra });
  }
}

export type DiagnosticExtra = Pick<Diagnostic, "notes" | "help" | "fixIts" | "fatal">;

/** A bug of ours: the input is not at fault. */
export class InternalError extends Error {
  override readonly name = "InternalError";
}

/** Marks code that exhaustive handling makes impossible to reach. */
export function unreachable(value: never, what = "value"): never {
  throw new InternalError(`unexpected ${what}: ${JSON.stringify(value)}`);
}
