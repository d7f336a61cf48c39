import assert from "node:assert/strict";
import { isVmResource, readClusterState, readVmConfigs } from "./crm_mon.ts";

/** As Pacemaker 2.1.5 prints it: a group, a clone, a failed VM, a node that is off. */
const RESULT = `<pacemaker-result api-version="2.25" request="crm_mon --output-as=xml">
  <summary>
    <stack type="corosync"/>
    <current_dc present="true" version="2.1.5-a3f44794f94" name="kvm1" id="1" with_quorum="true" mixed_version="false"/>
    <last_update time="Fri Nov 27 19:11:34 2026"/>
    <nodes_configured number="2"/>
    <resources_configured number="7" disabled="0" blocked="0"/>
    <cluster_options stonith-enabled="true" symmetric-cluster="true" no-quorum-policy="stop" maintenance-mode="false" stop-all-resources="false" stonith-timeout-ms="60000" priority-fencing-delay-ms="0"/>
  </summary>
  <nodes>
    <node name="kvm1" id="1" online="true" standby="false" standby_onfail="false" maintenance="false" pending="false" unclean="false" health="green" feature_set="&lt;3.15.1" shutdown="false" expected_up="true" is_dc="true" resources_running="2" type="member"/>
    <node name="kvm2" id="2" online="false" standby="false" standby_onfail="false" maintenance="false" pending="false" unclean="true" health="green" shutdown="false" expected_up="false" is_dc="false" resources_running="0" type="member"/>
  </nodes>
  <resources>
    <resource id="vm-web1" resource_agent="ocf:heartbeat:VirtualDomain" role="Started" active="true" orphaned="false" blocked="false" managed="true" failed="false" failure_ignored="false" nodes_running_on="1">
      <node name="kvm1" id="1" cached="true"/>
    </resource>
    <resource id="db" resource_agent="ocf:heartbeat:VirtualDomain" role="Started" active="true" orphaned="false" blocked="false" managed="true" failed="true" failure_ignored="false" nodes_running_on="1">
      <node name="kvm1" id="1" cached="true"/>
    </resource>
    <group id="g1" number_resources="2" managed="true" disabled="false">
      <resource id="ip1" resource_agent="ocf:heartbeat:IPaddr2" role="Stopped" active="false" orphaned="false" blocked="false" managed="true" failed="false" failure_ignored="false" nodes_running_on="0"/>
    </group>
    <clone id="cl" multi_state="false" unique="false" managed="true" disabled="false" failed="false" failure_ignored="false">
      <resource id="dlm" resource_agent="ocf:pacemaker:controld" role="Started" active="true" orphaned="false" blocked="false" managed="true" failed="false" failure_ignored="false" nodes_running_on="1">
        <node name="kvm1" id="1" cached="true"/>
      </resource>
      <resource id="dlm" resource_agent="ocf:pacemaker:controld" role="Stopped" active="false" orphaned="false" blocked="false" managed="true" failed="false" failure_ignored="false" nodes_running_on="0"/>
    </clone>
    <resource id="fence1" resource_agent="stonith:fence_ipmilan" role="Stopped" active="false" orphaned="false" blocked="false" managed="true" failed="false" failure_ignored="false" nodes_running_on="0"/>
  </resources>
  <failures>
    <failure op_key="db_start_0" node="kvm1" exitstatus="error" exitreason="none" exitcode="1" call="11" status="complete"/>
  </failures>
  <status code="0" message="OK"/>
</pacemaker-result>
`;

Deno.test("readClusterState() reads what crm_mon prints", () => {
  const reading = readClusterState(RESULT);
  assert.ok("cluster" in reading);
  const { quorum, fencing, maintenance, nodes, resources } = reading.cluster;
  assert.deepEqual({ quorum, fencing, maintenance }, { quorum: true, fencing: true, maintenance: false });
  assert.deepEqual(nodes.map(({ name, online, unclean }) => [name, online, unclean]), [
    ["kvm1", true, false],
    ["kvm2", false, true],
  ]);
  assert.deepEqual(resources.map(({ id, role, failed, nodes }) => [id, role, failed, nodes.join()]), [
    ["vm-web1", "Started", false, "kvm1"],
    ["db", "Started", true, "kvm1"],
    ["ip1", "Stopped", false, ""],
    ["dlm", "Started", false, "kvm1"],
    ["fence1", "Stopped", false, ""],
  ]);
  assert.deepEqual(resources.filter(isVmResource).map(({ id }) => id), ["vm-web1", "db"]);
});

Deno.test("readClusterState() says why there is no state", () => {
  // As crm_mon prints it where Pacemaker does not run
  const off = `<pacemaker-result api-version="2.25" request="crm_mon --output-as=xml">
  <status code="102" message="Not connected">
    <errors>
      <error>error: Could not connect to launcher: Connection refused</error>
      <error>crm_mon: Connection to cluster failed: Connection refused</error>
    </errors>
  </status>
</pacemaker-result>`;
  assert.deepEqual(readClusterState(off), { error: "Could not connect to launcher: Connection refused" });
  assert.deepEqual(readClusterState("<other/>"), { error: "it gives no state" });
});

Deno.test("readClusterState() refuses hostile output", () => {
  const error = (text: string) => {
    const reading = readClusterState(text);
    assert.ok("error" in reading, text.slice(0, 80));
    return reading.error;
  };
  assert.match(error(""), /cannot be read|no state/);
  assert.match(error("<pacemaker-result><summary>"), /cannot be read/);
  assert.match(error(`<!DOCTYPE a [<!ENTITY b "c">]>${RESULT}`), /document type/);
  assert.match(error(`${"<a>".repeat(200)}${"</a>".repeat(200)}`), /cannot be read/);
  const many = Array.from(
    { length: 1001 },
    (_, n) => `<resource id="a${n}" resource_agent="b:c" role="Started"/>`,
  );
  assert.match(error(RESULT.replace("<resources>", `<resources>${many.join("")}`)), /not what crm_mon/);
  assert.match(error(RESULT.replace('id="fence1"', 'id=""')), /not what crm_mon/);
  const long = readClusterState(RESULT.replace('id="fence1"', `id="${"x".repeat(5000)}\u202e"`));
  assert.ok("cluster" in long && long.cluster.resources.at(-1)!.id.length === 101);
});

Deno.test("readVmConfigs() has the names of definitions by their resources", () => {
  const primitive = (id: string, config: string) =>
    `<primitive id="${id}" class="ocf" provider="heartbeat" type="VirtualDomain"><instance_attributes id="i">` +
    `<nvpair id="n" name="config" value="${config}"/></instance_attributes></primitive>`;
  const several = `<xpath-query>${primitive("vm-web1", "/etc/libvirt/qemu/web1.xml")}${
    primitive("db", "/shared/db")
  }<primitive id="vm3"/></xpath-query>`;
  assert.deepEqual([...readVmConfigs(several)], [["vm-web1", "web1"], ["db", "db"]]);
  assert.deepEqual([...readVmConfigs(primitive("one", "a.xml"))], [["one", "a"]]);
  assert.deepEqual([...readVmConfigs("Call failed")], []);
});
