/** What a comparison with NULL tells of every copy of a pointer. */
import { zeroScalar } from "../../common/domain/scalar.ts";
import type { Env } from "./env.ts";
import type { VerifierMap } from "./input.ts";
import { hasField, mayHoldLock, recordOf } from "./map-record.ts";
import { isMapOfMaps, mapType } from "./map-rules.ts";
import { releaseReference } from "./references.ts";
import { editReg, type MutableReg, type Reg, zeroReg } from "./reg.ts";
import { kind, kindOf, mayBeNull, typeFlag } from "./reg-types.ts";
import { currentFrame, mapRegs, type State } from "./state.ts";

/** What the kernel keeps of an inner map: its shape, not its name. */
function templateOf(env: Env, inner: VerifierMap): VerifierMap {
  let template = env.templates.get(inner);
  if (template === undefined) {
    template = { ...inner, name: "" };
    env.templates.set(inner, template);
  }
  return template;
}

/** The same pointer, known not to be NULL; values of some maps are pointers to other things. */
function becomeValid(env: Env, reg: MutableReg): void {
  const { map } = reg;
  if (kindOf(reg.type) === kind.mapValue && map !== undefined) {
    if (isMapOfMaps(map)) {
      reg.type = kind.mapPtr;
      const inner = env.input.maps[map.inner];
      if (inner === undefined) env.unsupported("map of maps without a template");
      reg.map = templateOf(env, inner);
      const { fields } = recordOf(env, inner);
      if (hasField(fields, "bpf_timer", "bpf_wq", "bpf_task_work")) reg.mapUid = reg.id;
      return;
    }
    if (map.type === mapType.xskmap) {
      reg.type = kind.xdpSock;
      return;
    }
    if (map.type === mapType.sockmap || map.type === mapType.sockhash) {
      reg.type = kind.socket;
      return;
    }
  }
  reg.type &= ~typeFlag.maybeNull;
}

/** The same pointer without the doubt that it is NULL. */
export function becomeNonNull(env: Env, reg: Reg): Reg {
  const edited = editReg(reg);
  becomeValid(env, edited);
  return edited;
}

function resolved(env: Env, reg: Reg, id: number, isNull: boolean): Reg {
  if (!mayBeNull(reg.type) || reg.id !== id) return reg;
  if (isNull) return zeroReg;
  const edited = editReg(reg);
  becomeValid(env, edited);
  // A lock is told from another of the same map or type by the id of the lookup.
  if (!mayHoldLock(env, edited)) edited.id = 0;
  edited.scalar = zeroScalar;
  return edited;
}

/** Marks all copies of `register`'s pointer in a state as NULL, or as not NULL. */
export function markNullness(env: Env, state: State, register: number, isNull: boolean): void {
  const reg = currentFrame(state).regs[register]!;
  const { id, refObjId } = reg;
  if (refObjId !== 0 && refObjId === id && isNull) releaseReference(state, id);
  mapRegs(state, (candidate) => resolved(env, candidate, id, isNull));
}

/** Lifts the doubt for one register that equals a pointer that cannot be NULL. */
export function markValid(env: Env, state: State, register: number): void {
  const { regs } = currentFrame(state);
  const edited = editReg(regs[register]!);
  becomeValid(env, edited);
  regs[register] = edited;
}
