/** The options of `connect()` by name, the nested ones too: `rejectUnauthorized` in `tls` must not look as if it worked. */
import type { TlsConfig } from '@millrace/redis';
import { verifyOptionNames, type OptionNames } from '../options/verify-option-names.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { ClusterOptions, SentinelOptions } from './connect-target.ts';

const CONNECT: OptionNames<Required<ConnectOptions>> = {
  url: true,
  sentinel: true,
  cluster: true,
  prefix: true,
  name: true,
  connectTimeoutMs: true,
  tls: true,
  logger: true,
};

const SENTINEL: OptionNames<Required<SentinelOptions>> = {
  name: true,
  sentinels: true,
  username: true,
  password: true,
  sentinelUsername: true,
  sentinelPassword: true,
  database: true,
  tls: true,
  sentinelTls: true,
};

const CLUSTER: OptionNames<Required<ClusterOptions>> = { seeds: true, tls: true };

const TLS: OptionNames<Required<TlsConfig>> = {
  ca: true,
  cert: true,
  key: true,
  passphrase: true,
  servername: true,
};

/** Throws `INVALID_OPTION` (ConfigError). */
export function verifyConnectOptionNames(options: ConnectOptions): void {
  verifyOptionNames('connect option', options, CONNECT);
  const { sentinel, cluster, tls } = options;
  if (sentinel !== undefined) verifyOptionNames('connect option', sentinel, SENTINEL, 'sentinel');
  if (cluster !== undefined) verifyOptionNames('connect option', cluster, CLUSTER, 'cluster');
  const certificates = {
    tls,
    'sentinel.tls': sentinel?.tls,
    'sentinel.sentinelTls': sentinel?.sentinelTls,
    'cluster.tls': cluster?.tls,
  };
  for (const [within, given] of Object.entries(certificates))
    if (given !== undefined) verifyOptionNames('connect option', given, TLS, within);
}
