/** Packet pointers stop being valid when the packet may have moved. */
import type { Env } from "./env.ts";
import { unknownReg } from "./reg.ts";
import { isPacketAny, isPacketSlice } from "./reg-types.ts";
import { mapRegs } from "./state.ts";

export function invalidatePacketPointers(env: Env): void {
  mapRegs(env.state, (reg) =>
    isPacketAny(reg.type) || isPacketSlice(reg.type) ? unknownReg : reg,
  );
}
