// ts-mls as an adapter for `e2ee conformance run`: mls-validation/*, the exporter, and Ed25519.
//
// A refusal's reason is the name of ts-mls's error and its message. Values of ts-mls's state never change, so a client
// that has come into a state begins there again for every case. The clock is the case's.

import { createInterface } from "node:readline"
import * as mls from "ts-mls"
import { decodeProposal } from "ts-mls/proposal.js"
import { decodeRatchetTree } from "ts-mls/ratchetTree.js"

const VERSION = "1.6.4"
const SUITES = [1, 2, 3, 4, 5, 6, 7]
const SFRAME_KEY_LENGTH = { 4: 16, 5: 32 } // RFC 9605 Section 4.5, the suites of calls

const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"))
const hex = (data) => Buffer.from(data).toString("hex")
const text = (data) => new TextDecoder().decode(data)

const clientConfig = {
  keyRetentionConfig: mls.defaultKeyRetentionConfig,
  keyPackageEqualityConfig: {
    compareKeyPackages: (a, b) => sameMember(a.leafNode, b.leafNode),
    compareKeyPackageToLeafNode: (a, b) => sameMember(a.leafNode, b),
  },
  paddingConfig: mls.defaultPaddingConfig,
  lifetimeConfig: { maximumTotalLifetime: 100n * 24n * 3600n, validateLifetimeOnReceive: true },
  authService: {
    async validateCredential(credential) {
      return !(credential.credentialType === "basic" && text(credential.identity) === "mallory")
    },
  },
}

// "It takes two basic credentials with the same identity for the same member."
function sameMember(a, b) {
  if (a.credential.credentialType === "basic" && b.credential.credentialType === "basic")
    return hex(a.credential.identity) === hex(b.credential.identity)
  return hex(a.signaturePublicKey) === hex(b.signaturePublicKey)
}

// Decoding

function decoded(decode, data, what) {
  const result = decode(data, 0)
  if (result === undefined || result[1] !== data.length) throw new Error(`not a ${what}`)
  return result[0]
}

const message = (encoded) => decoded(mls.decodeMlsMessage, bytes(encoded), "MLSMessage")

function body(encoded, wireformat, name) {
  const found = message(encoded)
  if (found.wireformat !== wireformat) throw new Error(`a ${found.wireformat}`)
  return found[name]
}

const keyPackage = (encoded) => body(encoded, "mls_key_package", "keyPackage")
const tree = (encoded) =>
  encoded === null ? undefined : decoded(decodeRatchetTree, bytes(encoded), "ratchet_tree")

const suites = new Map()

async function suiteOf(codePoint) {
  const [name] = Object.entries(mls.ciphersuites).find(([, number]) => number === codePoint)
  if (!suites.has(name)) suites.set(name, await mls.getCiphersuiteImpl(mls.getCiphersuiteFromName(name)))
  return suites.get(name)
}

async function keys(given) {
  const publicPackage = keyPackage(given.key_package)
  const privatePackage = {
    initPrivateKey: bytes(given.init_priv),
    hpkePrivateKey: bytes(given.encryption_priv),
    signaturePrivateKey: bytes(given.signature_priv),
  }
  return { publicPackage, privatePackage, suite: await suiteOf(mls.ciphersuites[publicPackage.cipherSuite]) }
}

// A client in no group, or with `state` a member of one

class Client {
  constructor(own, psks, state) {
    this.own = own
    this.psks = psks
    this.state = state
  }

  again() {
    return new Client(this.own, this.psks, this.state)
  }

  get pskIndex() {
    return mls.makePskIndex(this.state, this.psks)
  }

  enter(state) {
    this.state = state
    return { epoch_authenticator: hex(state.keySchedule.epochAuthenticator) }
  }

  async join(given) {
    const { publicPackage, privatePackage, suite } = given.key_package === undefined ? this.own : await keys(given)
    const welcome = body(given.welcome, "mls_welcome", "welcome")
    return mls.joinGroup(
      welcome, publicPackage, privatePackage, this.pskIndex, suite, tree(given.ratchet_tree), this.state, clientConfig,
    )
  }

  async joinExternally(given) {
    const { publicPackage, privatePackage, suite } = this.own
    const groupInfo = body(given.group_info, "mls_group_info", "groupInfo")
    await mls.joinGroupExternal(
      groupInfo, publicPackage, privatePackage, false, suite, tree(given.ratchet_tree), clientConfig,
    )
    return {}
  }

  // Not by processMessage, which hands the PSKs on for a PublicMessage only.
  async receive(received, callback) {
    const { state, pskIndex, own } = this
    if (received.wireformat === "mls_public_message")
      return mls.processPublicMessage(state, received.publicMessage, pskIndex, own.suite, callback)
    if (received.wireformat === "mls_private_message")
      return mls.processPrivateMessage(state, received.privateMessage, pskIndex, own.suite, callback)
    throw new Error(`a ${received.wireformat}`)
  }

  async process(encoded) {
    let kind = "application"
    const result = await this.receive(message(encoded), (incoming) => {
      kind = incoming.kind
      return "accept"
    })
    const before = this.state
    const said = this.enter(result.newState)
    if (kind === "application") return { application_data: hex(result.message) }
    if (kind === "proposal") return { proposal_ref: added(before, this.state) }
    return this.state.groupActiveState.kind === "removedFromGroup" ? {} : said
  }

  async commit(extraProposals) {
    await mls.createCommit(
      { state: this.state, cipherSuite: this.own.suite, pskIndex: this.pskIndex },
      { extraProposals, ratchetTreeExtension: true },
    )
    return {}
  }

  async follow(step) {
    if (step.group_info !== undefined) return this.joinExternally(step)
    if (step.welcome !== undefined) return this.enter(await this.join(step))
    return this.process(step.message)
  }
}

function added(before, after) {
  const [reference] = Object.keys(after.unappliedProposals).filter((each) => !(each in before.unappliedProposals))
  return reference === undefined ? "" : Buffer.from(reference, "base64").toString("hex")
}

const settled = new Map()

async function begun(state) {
  const name = JSON.stringify(state)
  if (!settled.has(name)) settled.set(name, await settle(state))
  return settled.get(name).again()
}

async function settle(state) {
  const psks = state.external_psks.map(({ psk_id, psk }) => [mls.bytesToBase64(bytes(psk_id)), bytes(psk)])
  const client = new Client(await keys(state), Object.fromEntries(psks), undefined)
  if (state.welcome === null) return client
  client.enter(await client.join(state))
  for (const each of state.messages) await client.process(each)
  return client
}

// Operations

const validation = {
  async process(client, given) {
    for (const each of given.proposals) await client.process(each)
    return client.process(given.message)
  },
  async join(client, given) {
    const { keySchedule } = await client.join(given)
    return { epoch_authenticator: hex(keySchedule.epochAuthenticator) }
  },
  "external-join": (client, given) => client.joinExternally(given),
  "key-package": (client, given) =>
    client.commit([{ proposalType: "add", add: { keyPackage: keyPackage(given.key_package) } }]),
  async commit(client, given) {
    for (const each of given.received) await client.process(each)
    return client.commit(given.proposals.map((each) => decoded(decodeProposal, bytes(each), "Proposal")))
  },
}

async function validated(operation, given) {
  Date.now = () => 1000 * given.now
  const client = await begun(given.state)
  const there = client.again()
  try {
    return { result: "valid", output: await operation(client, given) }
  } catch (error) {
    const then = []
    for (const step of given.then) then.push(await there.follow(step).catch((fault) => ({ refused: reason(fault) })))
    return { result: "invalid", reason: reason(error), then }
  }
}

async function exported(given) {
  const suite = await suiteOf(given.mls_suite)
  const length = SFRAME_KEY_LENGTH[given.sframe_suite]
  const secret = bytes(given.exporter_secret)
  const key = await mls.mlsExporter(secret, "SFrame 1.0 Base Key", new Uint8Array(), length, suite)
  return { result: "valid", output: { base_key: hex(key) } }
}

async function verified(given) {
  const { signature } = await suiteOf(1)
  try {
    const good = await signature.verify(bytes(given.public_key), bytes(given.message), bytes(given.signature))
    return good ? { result: "valid", output: {} } : { result: "invalid", reason: "BAD_SIGNATURE" }
  } catch (error) {
    return { result: "invalid", reason: reason(error) }
  }
}

const reason = (error) => `${error.name}: ${error.message}`

const operations = {
  "frame-keys/base-key": exported,
  "key-agreement/signature": verified,
  ...Object.fromEntries(
    Object.entries(validation).map(([name, operation]) => [
      `mls-validation/${name}`, (given) => validated(operation, given),
    ]),
  ),
}

async function answer(request) {
  if (request.type === "hello") {
    const features = SUITES.map((suite) => `mls-0x${suite.toString(16).padStart(4, "0")}`)
    return { type: "hello", protocol: 1, name: "ts-mls", version: VERSION, groups: Object.keys(operations), features }
  }
  return { type: "answer", number: request.number, ...(await operations[request.group](request.input)) }
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(JSON.stringify(await answer(JSON.parse(line))) + "\n")
}
