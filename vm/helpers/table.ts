/** All helpers that the simulated kernel serves, by name; the engines ask by id. */
import { helperById } from "../../common/platform/helpers.ts";
import { errno } from "../errno.ts";
import { Fault } from "../fault.ts";
import { checksumHelpers } from "./checksum.ts";
import { contextHelpers } from "./context.ts";
import { dynptrHelpers } from "./dynptr.ts";
import type { Helper } from "./helper-call.ts";
import { iteratorHelpers } from "./iterators.ts";
import { loopHelpers } from "./loops.ts";
import { mapHelpers } from "./maps.ts";
import { memoryHelpers } from "./memory.ts";
import { notServed } from "./not-served.ts";
import { outputHelpers } from "./output.ts";
import { processHelpers } from "./process.ts";
import { redirectHelpers } from "./redirect.ts";
import { skbHelpers } from "./skb.ts";
import { storageHelpers } from "./storage.ts";
import { stringHelpers } from "./strings.ts";
import { timerHelpers } from "./timers.ts";
import { traceHelpers } from "./trace.ts";
import { xdpHelpers } from "./xdp.ts";

export const servedHelpers: Readonly<Record<string, Helper>> = {
  ...mapHelpers,
  ...memoryHelpers,
  ...processHelpers,
  ...traceHelpers,
  ...outputHelpers,
  ...dynptrHelpers,
  ...loopHelpers,
  ...timerHelpers,
  ...checksumHelpers,
  ...xdpHelpers,
  ...skbHelpers,
  ...redirectHelpers,
  ...storageHelpers,
  ...stringHelpers,
  ...contextHelpers,
  ...iteratorHelpers,
};

/** Helpers by id, resolved once. */
const byId = new Map<number, Helper>();

/** The helper's function; one that faults where it is not served. */
export function helperFunction(id: number): Helper {
  const known = byId.get(id);
  if (known !== undefined) return known;
  const name = helperById(id)?.name;
  const helper = name === undefined ? undefined : servedHelpers[name];
  const result = helper ?? missing(id, name);
  byId.set(id, result);
  return result;
}

function missing(id: number, name: string | undefined): Helper {
  const row = name === undefined ? undefined : notServed[name];
  if (row !== undefined) {
    return (call) => {
      call.kernel.notices.add(`${name} is not served and gives -${row.errno}: ${row.reason}`);
      return -errno[row.errno];
    };
  }
  return () => {
    throw new Fault("bad-helper", `there is no helper ${id}`);
  };
}
