/** An operation while it runs, as the code that carries it out sees it. */
import type { Step } from "./step.ts";
import type { Cause, OperationRecord } from "./operation_record.ts";

/** A step that was written down. */
export interface Noted<S extends Step> {
  /** Adds what is known of it now; written with the next step, or at once. */
  know(facts: Partial<S>, atOnce?: boolean): void;
  /** It made nothing: libvirt said no to it. */
  drop(): void;
}

/** Records steps. */
export interface Steps {
  /** Writes a step down, before it is run. */
  add<S extends Step>(step: S): Noted<S>;
}

/** Work of several steps, each written down before it is run. */
export class Operation implements Steps {
  readonly #record: OperationRecord;
  readonly #write: (record: OperationRecord) => void;
  #isWritten = false;
  #isOver = false;

  constructor(record: OperationRecord, write: (record: OperationRecord) => void) {
    this.#record = record;
    this.#write = write;
  }

  /** As it is kept. */
  get record(): OperationRecord {
    return this.#record;
  }

  /** Whether anything of it was ever written down: also of steps that were dropped since. */
  get isWritten(): boolean {
    return this.#isWritten;
  }

  /** Nothing of it is written any more: what is found out about a step too late would bring its record back. */
  close(): void {
    this.#isOver = true;
  }

  #save(): void {
    if (this.#isOver) return;
    this.#isWritten = true;
    this.#write(this.#record);
  }

  add<S extends Step>(step: S): Noted<S> {
    let mine: Step = step;
    this.#record.steps.push(mine);
    this.#save();
    const index = () => this.#record.steps.indexOf(mine);
    return {
      know: (facts, atOnce = false) => {
        const at = index();
        if (at < 0) return;
        mine = this.#record.steps[at] = { ...mine, ...facts } as Step;
        if (atOnce) this.#save();
      },
      drop: () => {
        if (index() < 0) return;
        this.#record.steps.splice(index(), 1);
        this.#save(); // another run must not take back what somebody else made
      },
    };
  }

  /** Writes several steps down at once. */
  addAll(steps: readonly Step[]): void {
    this.#record.steps.push(...steps);
    this.#save();
  }

  /** The task under which it is shown; written with the next step. */
  showsAs(jobId: string): void {
    this.#record.jobId = jobId;
  }

  /** It cannot go on: what is known of it is written. */
  cut(cause: Cause, at: number): void {
    this.#record.cut ??= { at, cause };
    this.#save();
  }

  /** It is taken back, whatever it wanted. */
  turnBack(): void {
    if (this.#record.back) return;
    this.#record.back = true;
    this.#save();
  }
}
