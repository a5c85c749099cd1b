/** Whether a server does what `bench.security` asks for: what it says itself, and who it turns away. */
import { asRole, type Endpoint, type Engine, type Parity } from '../../engines/engine.ts'
import { messageOf, rethrowOwnFault } from '../../errors.ts'
import { ruleOf } from '../../scenario/regimes.ts'
import type { Scenario } from '../../scenario/scenario.ts'

export async function securityParity(engine: Engine, endpoint: Endpoint, { requirements }: Pick<Scenario, 'requirements'>): Promise<Parity[]> {
  const { tls, ...plain } = endpoint
  const { user: _user, password: _password, role, ...anonymous } = endpoint
  const [said, plainIsLetIn, anyoneIsLetIn] = await Promise.all([
    engine.guards(endpoint).catch((error: unknown) => {
      rethrowOwnFault(error)
      // One that somebody else runs need not tell: who is turned away is seen.
      const unknown = { effective: `the server does not tell (${messageOf(error)})`, ok: role === undefined }
      return { transport: unknown, access: unknown }
    }),
    // With the login of somebody else's server in clear nothing is tried.
    role === undefined ? null : isLetIn(engine, plain),
    isLetIn(engine, anonymous),
  ])
  const who = requirements.compliance.filter((name) => ruleOf(name) !== undefined).join(', ')
  const by = who === '' ? 'security: on' : who
  const verified = tls?.verify === true
  return [
    {
      what: 'transport encryption',
      asked: `no plain connections (${by})`,
      set: 'TLS, and no connection without it; clients verify the certificate and its name',
      effective: [
        said.transport.effective,
        plainIsLetIn === null
          ? 'a plain connection was not tried, as it would carry the login'
          : plainIsLetIn
            ? 'a plain connection is let in'
            : 'a plain connection is refused',
        ...(tls === undefined ? ['the connections that are measured are plain'] : verified ? [] : ['its certificate is not verified']),
      ].join('; '),
      ok: said.transport.ok && plainIsLetIn !== true && verified,
    },
    {
      what: 'access control',
      asked: `a login with few rights (${by})`,
      set:
        role === undefined
          ? 'the login of the URL, which makes and drops its namespace, too'
          : `operations come from the role ${role.user}, which may read and write rows`,
      effective: `${said.access.effective}; who does not log in is ${anyoneIsLetIn ? 'let in' : 'refused'}`,
      // Who makes the namespace has more rights than the operations need, and that is said.
      ok: (said.access.ok || role === undefined) && !anyoneIsLetIn,
    },
  ]
}

/** As far as the names of its namespaces. */
async function isLetIn(engine: Engine, endpoint: Endpoint): Promise<boolean> {
  try {
    await engine.ready(asRole(endpoint))
    await engine.external.list(asRole(endpoint))
    return true
  } catch (error) {
    rethrowOwnFault(error)
    return false
  }
}
