/** What to say in Chinese when a proxy, or a chain of them, does not do what it should. */
import type { Sentence } from '../sentences.ts';
import type { proxies as english } from '../sentences/proxies.ts';

export const proxies: Record<keyof typeof english, Sentence> = {
  'proxy-url-invalid': {
    what: '无法理解该代理',
    why: '代理应写成 socks5://user:password@host:port',
    todo: '请更正后重试',
  },
  'proxy-unreachable': {
    what: '无法连接代理',
    why: '它的地址没有应答',
    todo: '请检查它是否在运行、地址是否正确；在此期间应用没有网络',
  },
  'proxy-timeout': {
    what: '代理没有及时应答',
    why: '整个对话的时间已到',
    todo: '请稍后重试，或使用其他代理；在此期间应用没有网络',
  },
  'proxy-sign-in-refused': {
    what: '代理拒绝了登录',
    why: '用户名或密码错误，或者它需要而没有提供',
    todo: '请检查两者',
  },
  'proxy-refused': {
    what: '代理拒绝了连接',
    why: '它不能或不愿连接目的地',
    todo: '它给出的原因见详情',
  },
  'proxy-protocol-error': {
    what: '无法理解代理的应答',
    why: '这不是您选择的那种代理，或者它有故障',
    todo: '请检查代理的类型和端口',
  },
  'proxy-closed': {
    what: '代理关闭了连接',
    why: '对话尚未完成它就关闭了',
    todo: '请检查代理的类型和端口是否正确',
  },
  'udp-not-offered': {
    what: '拒绝了 UDP',
    why: '代理不提供 UDP',
    todo: '应用会尽可能改用 TCP；其他应用请使用支持 UDP 的 SOCKS5 代理',
  },
  'chain-empty': {
    what: '拒绝了一个连接',
    why: '该配置没有启用的代理服务器',
    todo: '请在配置中添加一个；在此期间应用没有网络',
  },
  'chain-exhausted': {
    what: '拒绝了一个连接',
    why: '链中可用的服务器少于所需的数量',
    todo: '请检查服务器（`culvert profile test`）；在此期间应用没有网络',
  },
  'certificate-refused': {
    what: '拒绝了该代理',
    why: '无法验证它的证书',
    todo: '请检查主机名和证书；如果您认识它，请在配置中接受它的指纹（`culvert profile edit PROFILE --fingerprint`）',
  },
  'egress-missing': {
    what: '拒绝了一个连接',
    why: '配置指定为出口的接口不存在',
    todo: '请连接它，或在配置中选择其他接口；在此期间应用没有网络',
  },
};
