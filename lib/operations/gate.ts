/** Places for a limited number of things at once, in this process. */
export class Gate {
  #free: number;
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Takes a place, as soon as there is one. False once the gate is closed. */
  async enter(): Promise<boolean> {
    await this.whenFree();
    if (this.#closed) return false;
    this.#free -= 1;
    return true;
  }

  /** Takes a place even when there is none: for who had one and lent it. */
  force(): void {
    this.#free -= 1;
  }

  leave(): void {
    this.#free += 1;
    this.#wake();
  }

  /** Resolves when there is a place, or the gate is closed. */
  async whenFree(): Promise<void> {
    while (this.#free <= 0 && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
