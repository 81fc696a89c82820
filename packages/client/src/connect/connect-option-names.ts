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
  const { sentinel, cluster, tls } = options;
  verifyOptionNames('connect option', options, CONNECT);
  verifyOptionNames('connect option "sentinel"', sentinel ?? {}, SENTINEL);
  verifyOptionNames('connect option "cluster"', cluster ?? {}, CLUSTER);
  for (const certificates of [tls, sentinel?.tls, sentinel?.sentinelTls, cluster?.tls])
    verifyOptionNames('connect option "tls"', certificates ?? {}, TLS);
}
