/** Every command on several virtual machines at once. */
import Type from "typebox";
import { command } from "./command.ts";
import { HostName } from "./on_host.ts";
import { closed, VmId } from "./schema.ts";
import { BatchOperationResult } from "./vm.ts";

const ManyVms = closed({
  vmIds: Type.Array(VmId, { minItems: 1, maxItems: 1000, uniqueItems: true }),
});
export const vmBatchCommands = {
  batch_start_vms: command({
    summary: "Start several VMs",
    role: "operator",
    input: ManyVms,
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/start",
    cli: ["batch", "start", "<vmIds...>"],
    examples: ["kvm-manager batch start web1 web2 'db-*'"],
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
  batch_stop_vms: command({
    summary: "Ask several VMs to shut down",
    role: "operator",
    input: ManyVms,
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/stop",
    cli: ["batch", "stop", "<vmIds...>"],
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
  batch_force_stop_vms: command({
    summary: "Power several VMs off at once",
    role: "operator",
    input: ManyVms,
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/force-stop",
    cli: ["batch", "force-stop", "<vmIds...>"],
    destroys: "what the guests have not written to disk yet, and the saved memory of suspended VMs",
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
  batch_reboot_vms: command({
    summary: "Ask several VMs to restart",
    role: "operator",
    input: ManyVms,
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/reboot",
    cli: ["batch", "reboot", "<vmIds...>"],
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
  batch_migrate_vms: command({
    summary: "Move several VMs to another host",
    description:
      "Answers once each VM is in the queue of its host, or is refused; the moves are jobs. A VM goes where its disks and " +
      "networks fit by their names: see migrate_vm for one that needs more.",
    role: "administrator",
    input: closed({
      ...ManyVms.properties,
      toHost: { ...HostName, description: "the linked host that they move to: its id" },
      breakRules: Type.Optional(
        Type.Boolean({ default: false, description: "although rules of placement are against it" }),
      ),
    }),
    output: BatchOperationResult,
    errors: [],
    route: "POST /batch/migrate",
    cli: ["batch", "migrate", "<vmIds...>", "<toHost>"],
    places: ["<vmIds...>", "<toHost>"],
    examples: ["kvm-manager batch migrate web1 web2 'db-*' kvm2"],
    alsoNeeds: [{ permission: "storage.operate" }],
    columns: ["vmId", "success", "error"],
    rows: "results",
    mark: "power",
    readOnly: false,
  }),
};
