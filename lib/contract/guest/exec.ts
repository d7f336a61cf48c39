/** Programs that are run in a guest. All that a guest tells is its own word. */
import Type, { type Static } from "typebox";
import { command } from "../command.ts";
import { closed, oneOf, SECRET, VmId, withWords } from "../schema.ts";
import { DOING, ENCODINGS, EXEC } from "./common.ts";

/** Bytes of output that are kept of each stream. */
export const MOST_OUTPUT = 1024 * 1024;

/** Seconds a command may take, and takes at most when nothing is said. */
export const EXEC_SECONDS = { most: 600, usual: 60 } as const;

export const ExecResult = Type.Object({
  stdout: Type.String(),
  stderr: Type.String(),
  exitCode: Type.Integer({ description: "124 when it was ended at its time limit; 128 + N by signal N" }),
  timedOut: Type.Boolean(),
  stdoutTruncated: Type.Boolean({ description: `more than ${MOST_OUTPUT} bytes came: the rest is lost` }),
  stderrTruncated: Type.Boolean(),
});
export type ExecResult = Static<typeof ExecResult>;

/** Program to run, with its arguments. */
const PROGRAM = {
  command: Type.String({
    minLength: 1,
    maxLength: 4096,
    description: "program: a path, or a name in its PATH",
    ...withWords("args"),
  }),
  args: Type.Optional(Type.Array(Type.String({ maxLength: 65_536 }), { maxItems: 1000 })),
  env: Type.Optional(
    Type.Array(
      Type.String({ maxLength: 32_768, pattern: "^[A-Za-z_][A-Za-z0-9_]*=", description: "NAME=value" }),
      {
        maxItems: 200,
        description: "the audit log does not keep it",
        ...SECRET,
      },
    ),
  ),
};

/** Tasks of programs in guests that an account may have open at once. */
export const MOST_EXEC_TASKS = 8;
/** MiB that such a program may write: it is ended at more. */
export const MOST_TASK_OUTPUT_MIB = 256;

/** Seconds that a task in a guest may take, and takes at most when nothing is said. */
export const EXEC_TASK_SECONDS = { most: 86_400, usual: 3600 } as const;

export const guestExecCommands = {
  guest_exec: command({
    summary: "Run a program in a guest",
    description:
      "As the user that its agent runs as: root, or Windows' SYSTEM. No shell is between: name `sh` and `-c` for one. " +
      `Of each output ${MOST_OUTPUT} bytes are kept. The audit log has the program and its arguments. Who accepts ` +
      'application/x-ndjson gets the output as it comes, one JSON a line ({"stdout": …}, {"stderr": …}), and at the end ' +
      '{"result": …} without it, or {"error": …}; through QEMU\'s agent it comes when the program has ended.',
    ...EXEC,
    input: closed({
      vmId: VmId,
      ...PROGRAM,
      stdin: Type.Optional(Type.String({
        maxLength: 700_000,
        description: "what it reads from standard input, up to about 128 KiB; the audit log does not keep it",
        ...SECRET,
      })),
      encoding: Type.Optional(
        oneOf(ENCODINGS, { description: "of stdin, stdout and stderr: text, when left out" }),
      ),
      seconds: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: EXEC_SECONDS.most,
        description: `after these it is ended; ${EXEC_SECONDS.usual} when left out`,
      })),
    }),
    output: ExecResult,
    errors: [...DOING, "GuestProgramNotFound", "GuestExecTimeout", "GuestOutputLost"],
    route: "POST /vms/{vmId}/guest/exec",
    cli: ["guest", "exec", "<vmId>", "<command>"],
    exampleFields: ["args"],
    tells: true,
    readOnly: false,
  }),
  guest_exec_task: command({
    summary: "Run a program in a guest as a task",
    description:
      "It answers at once; the task's log has the output as it comes (the first and the last lines of a long one) and the exit " +
      "status. cancel_job ends it, through KVM Manager's agent; through QEMU's it runs to its time limit. A user has " +
      `${MOST_EXEC_TASKS} of them open at most, and a program that writes more than ${MOST_TASK_OUTPUT_MIB} MiB is ended.`,
    ...EXEC,
    input: closed({
      vmId: VmId,
      ...PROGRAM,
      seconds: Type.Optional(Type.Integer({
        minimum: 1,
        maximum: EXEC_TASK_SECONDS.most,
        description: `after these it is ended; ${EXEC_TASK_SECONDS.usual} when left out`,
      })),
    }),
    output: Type.Object({ jobId: Type.String() }),
    errors: [...DOING, "TooManyRequests"],
    privateTask: true,
    route: "POST /vms/{vmId}/guest/exec-task",
    cli: ["guest", "exec-task", "<vmId>", "<command>"],
    exampleFields: ["args"],
    readOnly: false,
  }),
};
