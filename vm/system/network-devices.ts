/** Simulated network devices: what they sent, what the stack behind them got. */

export interface NetworkDevice {
  readonly name: string;
  readonly ifindex: number;
  /** The other end of a pair: what one sends, the other receives. */
  peer: NetworkDevice | undefined;
  /** Packets that left through it, oldest first. */
  readonly sent: Uint8Array[];
  /** Packets that reached the stack behind it. */
  readonly delivered: Uint8Array[];
}

const loopbackIndex = 1;

export class NetworkDevices {
  readonly #devices = new Map<number, NetworkDevice>();

  constructor() {
    this.add("lo", loopbackIndex);
  }

  /** A new device; its index is the next free one unless given. */
  add(name: string, ifindex = Math.max(0, ...this.#devices.keys()) + 1): NetworkDevice {
    const device = { name, ifindex, peer: undefined, sent: [], delivered: [] };
    this.#devices.set(ifindex, device);
    return device;
  }

  /** Two devices joined by a cable. */
  addPair(first: string, second: string): readonly [NetworkDevice, NetworkDevice] {
    const a = this.add(first);
    const b = this.add(second);
    a.peer = b;
    b.peer = a;
    return [a, b];
  }

  byIndex(ifindex: number): NetworkDevice | undefined {
    return this.#devices.get(ifindex);
  }

  byName(name: string): NetworkDevice | undefined {
    return [...this.#devices.values()].find((device) => device.name === name);
  }
}
