import type { ClientContext } from '../connect/client-context.ts';
import type { Admin } from './admin.ts';
import { createGroupAdmin } from './group-admin.ts';
import { createTopicAdmin } from './topic-admin.ts';

export function createAdmin(context: ClientContext): Admin {
  return { ...createTopicAdmin(context), ...createGroupAdmin(context) };
}
