/** What to say in Chinese of profiles, rules, passwords and what else people write. */
import type { Sentence } from '../sentences.ts';
import type { configuration as english } from '../sentences/configuration.ts';

export const configuration: Record<keyof typeof english, Sentence> = {
  'option-invalid': {
    what: '无法理解一个选项',
    why: '它的值不在允许的范围内',
    todo: '参见 `culvert run --help`',
  },
  'profile-unknown': {
    what: '没有这个配置',
    why: '没有配置使用这个标识，或者它已被删除',
    todo: '参见 `culvert profile ls`',
  },
  'profile-missing': {
    what: '没有为该应用选择配置',
    why: '它没有绑定配置，也没有默认配置',
    todo: '请选择一个配置来打开它，或将某个配置设为默认',
  },
  'profile-in-use': {
    what: '没有删除该配置',
    why: '仍有应用、规则或启动器使用它',
    todo: '请先让它们使用其他配置',
  },
  'rule-unknown': {
    what: '没有这条规则',
    why: '没有规则使用这个标识',
    todo: '参见 `culvert rule ls`',
  },
  'rule-invalid': {
    what: '无法理解该规则',
    why: '其中一部分不符合要求',
    todo: '请更正后重试；没有任何改变',
  },
  'undo-outdated': {
    what: '没有撤销该更改',
    why: '在那之后规则又被其他操作更改过',
    todo: '请查看现在的规则，并手动改回',
  },
  'query-invalid': {
    what: '无法理解该查询',
    why: '其中一部分不符合要求',
    todo: '参见 `culvert connections --help`',
  },
  'import-invalid': {
    what: '没有导入任何内容',
    why: '这段文字不是 Culvert 能读取的类型',
    todo: '请提供代理链接、proxychains.conf、Proxifier 配置或 Clash 文件',
  },
  'config-invalid': {
    what: '无法理解配置文件',
    why: 'culvert.json 中的一个字段不符合要求',
    todo: '请更正此处指出的位置；旁边上一份完好的副本没有改变',
  },
  'config-newer': {
    what: '没有读取配置文件',
    why: '它由更新版本的 Culvert 写成',
    todo: '请使用那个版本，或移走 culvert.json 重新开始',
  },
  'config-unwritable': {
    what: '没有保存配置文件',
    why: '无法写入该文件或其目录',
    todo: '请腾出空间或授予自己写入权限；旧的配置没有改变',
  },
  'config-locked': {
    what: '没有保存配置文件',
    why: '另一个 Culvert 正在写入且迟迟没有结束',
    todo: '请重试；旧的配置没有改变',
  },
  'file-unwritable': {
    what: '没有保存文件',
    why: '无法写入该文件或其目录',
    todo: '请选择其他位置，或在那里腾出空间',
  },
  'secrets-unavailable': {
    what: '无法安全地保存密码',
    why: '此会话中没有 Secret Service',
    todo: '请解锁或启动密钥环；在此之前密码保存在只有您能读取的文件中',
  },
  'secret-unreadable': {
    what: '无法读取密码',
    why: '密钥环已锁定，或保存密码的文件无法读取',
    todo: '请解锁密钥环，或重新输入密码',
  },
};
