// ts-mls as a live peer: the JSON lines of `e2ee mls-peer` on stdin and stdout, answered by ts-mls.
//
// One request a line, answered in turn. A reply also has "elapsed_ms": the time of the operation alone, without the
// reading and writing of lines. Values of ts-mls's state never change, so an operation that throws has changed nothing.
//
// In place of ts-mls's defaults: credentials are accepted by a rule, not all of them; lifetimes are bounded, begin an
// hour ago, and are checked on receipt too.

import { createInterface } from "node:readline"
import { performance } from "node:perf_hooks"
import { p256, p384, p521 } from "@noble/curves/nist.js"
import * as mls from "ts-mls"
import { getOwnLeafNode } from "ts-mls/clientState.js"
import { signLeafNodeCommit } from "ts-mls/leafNode.js"
import { updateLeafKey } from "ts-mls/privateKeyPath.js"
import { decodeRatchetTree, encodeRatchetTree } from "ts-mls/ratchetTree.js"

const HOUR = 3600n
const DAY = 24n * HOUR
const GREASE = 0x0a0a // RFC 9420 Section 13.5: others must put up with it

class Refused extends Error {
  constructor(rule, detail) {
    super(detail)
    this.name = rule
  }
}

const authService = {
  async validateCredential(credential, signaturePublicKey) {
    return credential.credentialType === "basic" && credential.identity.length > 0 && signaturePublicKey.length > 0
  },
}

const clientConfig = {
  keyRetentionConfig: mls.defaultKeyRetentionConfig,
  keyPackageEqualityConfig: mls.defaultKeyPackageEqualityConfig,
  paddingConfig: mls.defaultPaddingConfig,
  lifetimeConfig: { maximumTotalLifetime: 366n * DAY, validateLifetimeOnReceive: true },
  authService,
}

function lifetime() {
  const now = BigInt(Math.floor(Date.now() / 1000))
  return { notBefore: now - HOUR, notAfter: now + 7n * DAY }
}

function capabilities() {
  return {
    versions: ["mls10"],
    ciphersuites: [...Object.keys(mls.ciphersuites), String(GREASE)],
    extensions: [GREASE],
    proposals: [GREASE],
    credentials: ["basic", String(GREASE)],
  }
}

// Bytes on the wire are hex; ts-mls wants plain Uint8Arrays.

const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"))
const hex = (data) => Buffer.from(data).toString("hex")

function decoded(decode, data, what) {
  const result = decode(data, 0)
  if (result === undefined || result[1] !== data.length) throw new Refused("CodecError", `not a ${what}`)
  return result[0]
}

const message = (encoded) => decoded(mls.decodeMlsMessage, bytes(encoded), "MLSMessage")
const encoded = (content) => hex(mls.encodeMlsMessage({ version: "mls10", ...content }))

function keyPackage(encodedMessage) {
  const found = message(encodedMessage)
  if (found.wireformat !== "mls_key_package") throw new Refused("CodecError", "not a KeyPackage")
  return found.keyPackage
}

// Clients, by the caller's ids. `updates` holds the private keys of own Update proposals, by public key.

const clients = new Map()

function client(id) {
  const found = clients.get(id)
  if (found === undefined) throw new Refused("UNKNOWN_CLIENT", id)
  return found
}

function member(id) {
  const found = client(id)
  if (found.state === undefined) throw new Refused("NOT_IN_A_GROUP", id)
  return found
}

function enter(found, state) {
  found.state = state
  found.updates.clear()
}

function psks(found) {
  return mls.makePskIndex(found.state, Object.fromEntries(found.psks))
}

function suiteName(suite) {
  for (const [name, codePoint] of Object.entries(mls.ciphersuites)) {
    if (suite === name || suite === codePoint) return name
  }
  throw new Refused("UNSUPPORTED_CIPHER_SUITE", String(suite))
}

// RFC 9420 Section 5.1.1 has the points of signature keys uncompressed; the keygen of ts-mls compresses them.

const NIST_CURVES = { P256: p256, P384: p384, P521: p521 }

async function signatureKeyPair(parameters, suite) {
  const keyPair = await suite.signature.keygen()
  const curve = NIST_CURVES[parameters.signature]
  return curve === undefined ? keyPair : { ...keyPair, publicKey: curve.getPublicKey(keyPair.signKey, false) }
}

const add = (encodedMessage) => ({ proposalType: "add", add: { keyPackage: keyPackage(encodedMessage) } })
const remove = (removed) => ({ proposalType: "remove", remove: { removed } })

function pskProposal(found, pskId) {
  const pskNonce = found.suite.rng.randomBytes(found.suite.kdf.size)
  const preSharedKeyId = { psktype: "external", pskId: bytes(pskId), pskNonce }
  return { proposalType: "psk", psk: { preSharedKeyId } }
}

// ts-mls commits and follows the Updates of others, and leaves it to the application to make its own: a leaf with a
// fresh key, whose private key takes the old one's place in the state when somebody has committed the Update.

async function updateProposal(found) {
  const { state, suite } = found
  const keyPair = await suite.hpke.generateKeyPair()
  const hpkePublicKey = await suite.hpke.exportPublicKey(keyPair.publicKey)
  const { signaturePublicKey, credential, capabilities, extensions } = getOwnLeafNode(state)
  const leaf = { hpkePublicKey, signaturePublicKey, credential, capabilities, extensions, leafNodeSource: "update" }
  const tbs = { ...leaf, groupId: state.groupContext.groupId, leafIndex: state.privatePath.leafIndex }
  const leafNode = await signLeafNodeCommit(tbs, state.signaturePrivateKey, suite.signature) // signs any LeafNodeTBS
  found.updates.set(hex(hpkePublicKey), await suite.hpke.exportPrivateKey(keyPair.privateKey))
  return { proposalType: "update", update: { leafNode } }
}

async function withOwnUpdate(found, received) {
  if (found.updates.size === 0) return found.state
  let proposals = []
  await run(found, found.state, received, (incoming) => {
    if (incoming.kind === "commit") proposals = incoming.proposals
    return "reject"
  })
  for (const { proposal } of proposals) {
    if (proposal.proposalType !== "update") continue
    const privateKey = found.updates.get(hex(proposal.update.leafNode.hpkePublicKey))
    if (privateKey !== undefined)
      return { ...found.state, privatePath: updateLeafKey(found.state.privatePath, privateKey) }
  }
  return found.state
}

// Not by processMessage, which hands the PSKs on for a PublicMessage only.
function run(found, state, received, callback) {
  if (received.wireformat === "mls_public_message")
    return mls.processPublicMessage(state, received.publicMessage, psks(found), found.suite, callback)
  if (received.wireformat === "mls_private_message")
    return mls.processPrivateMessage(state, received.privateMessage, psks(found), found.suite, callback)
  throw new Refused("NOT_A_GROUP_MESSAGE", received.wireformat)
}

function roster(state) {
  const members = []
  state.ratchetTree.forEach((node, x) => {
    if (node?.nodeType !== "leaf") return
    const { credential, signaturePublicKey } = node.leaf
    members.push({ leaf_index: x / 2, name_hex: hex(credential.identity), signature_key: hex(signaturePublicKey) })
  })
  return members
}

const operations = {
  suites() {
    return { suites: Object.entries(mls.ciphersuites).map(([name, code_point]) => ({ code_point, name })) }
  },

  // `generated_keys`: the signature key is as ts-mls generates it
  async client({ id, name, name_hex = null, suite: wanted, generated_keys = false }) {
    const identity = name_hex === null ? new TextEncoder().encode(name) : bytes(name_hex)
    const credential = { credentialType: "basic", identity }
    const parameters = mls.getCiphersuiteFromName(suiteName(wanted))
    const suite = await mls.getCiphersuiteImpl(parameters)
    const keyPair = generated_keys ? await suite.signature.keygen() : await signatureKeyPair(parameters, suite)
    clients.set(id, { suite, credential, keyPair, psks: new Map(), updates: new Map(), state: undefined })
    return operations.key_package({ id })
  },

  // beside the protocol: another KeyPackage in the place of the last
  async key_package({ id }) {
    const found = client(id)
    const { suite, credential, keyPair } = found
    const made = await mls.generateKeyPackageWithKey(credential, capabilities(), lifetime(), [], keyPair, suite)
    Object.assign(found, made)
    return { key_package: encoded({ wireformat: "mls_key_package", keyPackage: made.publicPackage }) }
  },

  psk({ id, psk_id, psk }) {
    client(id).psks.set(mls.bytesToBase64(bytes(psk_id)), bytes(psk))
    return {}
  },

  async create({ id, group_id, extensions = [] }) {
    const found = client(id)
    const { publicPackage, privatePackage, suite } = found
    const decodedExtensions = extensions.map(([extensionType, data]) => ({ extensionType, extensionData: bytes(data) }))
    const state = await mls.createGroup(
      bytes(group_id), publicPackage, privatePackage, decodedExtensions, suite, clientConfig,
    )
    enter(found, state)
    return {}
  },

  async propose({ id, add: added = [], remove: removed = [], update = false, public_message = true }) {
    const found = member(id)
    const contents = [...added.map(add), ...removed.map(remove), ...(update ? [await updateProposal(found)] : [])]
    const proposals = []
    for (const content of contents) {
      const made = await mls.createProposal(found.state, public_message, content, found.suite)
      found.state = made.newState
      proposals.push(hex(mls.encodeMlsMessage(made.message)))
    }
    return { proposals }
  },

  async commit({ id, add: added = [], remove: removed = [], public_message = true, tree_ext = true, psks: used = [] }) {
    const found = member(id)
    const made = await mls.createCommit(
      { state: found.state, cipherSuite: found.suite, pskIndex: psks(found) },
      {
        wireAsPublicMessage: public_message,
        ratchetTreeExtension: tree_ext,
        extraProposals: [
          ...added.map(add), ...removed.map(remove), ...used.map((pskId) => pskProposal(found, pskId)),
        ],
      },
    )
    enter(found, made.newState)
    const { welcome } = made
    return {
      commit: hex(mls.encodeMlsMessage(made.commit)),
      welcome: welcome === undefined ? null : encoded({ wireformat: "mls_welcome", welcome }),
      tree: tree_ext ? null : hex(encodeRatchetTree(found.state.ratchetTree)),
    }
  },

  async join({ id, welcome, tree = null }) {
    const found = client(id)
    const received = message(welcome)
    if (received.wireformat !== "mls_welcome") throw new Refused("CodecError", "not a Welcome")
    const ratchetTree = tree === null ? undefined : decoded(decodeRatchetTree, bytes(tree), "ratchet_tree")
    const { publicPackage, privatePackage, suite } = found
    const state = await mls.joinGroup(
      received.welcome, publicPackage, privatePackage, psks(found), suite, ratchetTree, undefined, clientConfig,
    )
    enter(found, state)
    return {}
  },

  async process({ id, message: encodedMessage }) {
    const found = member(id)
    const received = message(encodedMessage)
    const state = await withOwnUpdate(found, received)
    let kind = "application"
    const result = await run(found, state, received, (incoming) => {
      kind = incoming.kind
      return "accept"
    })
    const removed = result.newState.groupActiveState.kind === "removedFromGroup"
    if (kind === "commit") enter(found, removed ? undefined : result.newState)
    else found.state = result.newState
    return { kind, data: kind === "application" ? hex(result.message) : null, removed }
  },

  async encrypt({ id, data, authenticated_data = "" }) {
    const found = member(id)
    const made = await mls.createApplicationMessage(found.state, bytes(data), found.suite, bytes(authenticated_data))
    found.state = made.newState
    return { message: encoded({ wireformat: "mls_private_message", privateMessage: made.privateMessage }) }
  },

  async export({ id, label, context, length }) {
    const { state, suite } = member(id)
    const secret = await mls.mlsExporter(state.keySchedule.exporterSecret, label, bytes(context), length, suite)
    return { secret: hex(secret) }
  },

  async group_info({ id }) {
    const { state, suite } = member(id)
    const groupInfo = await mls.createGroupInfoWithExternalPubAndRatchetTree(state, [], suite)
    return { group_info: encoded({ wireformat: "mls_group_info", groupInfo }) }
  },

  async external_join({ id, group_info, resync = false }) {
    const found = client(id)
    const received = message(group_info)
    if (received.wireformat !== "mls_group_info") throw new Refused("CodecError", "not a GroupInfo")
    const { publicPackage, privatePackage, suite } = found
    const { publicMessage, newState } = await mls.joinGroupExternal(
      received.groupInfo, publicPackage, privatePackage, resync, suite, undefined, clientConfig,
    )
    enter(found, newState)
    return { commit: encoded({ wireformat: "mls_public_message", publicMessage }) }
  },

  info({ id }) {
    const { state } = member(id)
    const { groupContext, keySchedule, privatePath, ratchetTree } = state
    return {
      epoch: Number(groupContext.epoch),
      epoch_authenticator: hex(keySchedule.epochAuthenticator),
      tree_hash: hex(groupContext.treeHash),
      leaf_index: privatePath.leafIndex,
      roster: roster(state),
      tree: hex(encodeRatchetTree(ratchetTree)),
    }
  },

  drop({ id }) {
    client(id)
    clients.delete(id)
    return {}
  },
}

async function answer(line) {
  const started = performance.now()
  try {
    const request = JSON.parse(line)
    const operation = Object.hasOwn(operations, request.op) ? operations[request.op] : undefined
    if (operation === undefined) throw new Refused("UNKNOWN_OP", String(request.op))
    const begun = performance.now()
    const reply = await operation(request)
    return { ok: true, ...reply, elapsed_ms: performance.now() - begun }
  } catch (error) {
    return { ok: false, error: error.name, detail: error.message, elapsed_ms: performance.now() - started }
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  if (line.trim() !== "") process.stdout.write(JSON.stringify(await answer(line)) + "\n")
}
