/**
 * How verification ends early. Both are thrown inside the verifier only, from any depth of checks,
 * and caught in verify.ts, which turns them into a verdict.
 */

export const errno = {
  perm: 1,
  noEntry: 2,
  tooBig: 7,
  access: 13,
  fault: 14,
  invalid: 22,
  notSupported: 524,
} as const;

/** The program breaks a rule; the messages are in the log. */
export class Rejection {
  readonly errno: number;

  constructor(code: number) {
    this.errno = code;
  }
}

/** The program uses something that is not modelled: no verdict is possible. */
export class Unsupported {
  readonly construct: string;

  constructor(construct: string) {
    this.construct = construct;
  }
}
