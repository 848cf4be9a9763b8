/** What to say of each failure in Simplified Chinese. A code without a sentence does not compile. */
import type { FailureCode } from '#shared/failure.ts';
import type { Sentence } from '#shared/sentences.ts';

export const sentencesInChinese: Record<FailureCode, Sentence> = {
  internal: {
    what: 'Culvert 内部出现了问题',
    why: '这是 Culvert 的缺陷，与您的设置无关',
    todo: '请连同此处显示的详情一起报告',
  },
  'bad-message': {
    what: 'Culvert 各部分之间的一条消息无法理解',
    why: '双方使用的协议不同',
    todo: '请停止所有正在运行的 Culvert，然后重新启动',
  },
  'version-mismatch': {
    what: 'Culvert 的各部分互不匹配',
    why: '引擎与辅助程序的版本不同，可能是在运行期间进行了升级',
    todo: '请停止所有正在运行的 Culvert，然后重新启动',
  },
  'userns-forbidden': {
    what: '无法在不输入密码的情况下建立隔离网络',
    why: '此系统不允许普通用户创建用户命名空间',
    todo: '请打开此处指出的开关，或使用 --isolation helper',
  },
  'namespace-forbidden': {
    what: '无法创建隔离网络',
    why: '内核拒绝了网络或挂载命名空间',
    todo: '在容器中请允许 CAP_SYS_ADMIN 和 CAP_NET_ADMIN；参见 `culvert doctor`',
  },
  'tool-missing': {
    what: '缺少 Culvert 需要的系统程序',
    why: '隔离网络由 `ip`（iproute2）和 `nft`（nftables）建立',
    todo: '请用软件包管理器安装 iproute2 和 nftables',
  },
  'nft-failed': {
    what: '无法加载隔离网络的规则',
    why: 'nft 拒绝了这些规则',
    todo: '所需的内核功能请参见 `culvert doctor`',
  },
  'ip-failed': {
    what: '无法建立隔离网络的链路',
    why: 'ip 拒绝了其中一步',
    todo: '所需的内核功能请参见 `culvert doctor`',
  },
  'sysctl-failed': {
    what: '无法锁定隔离网络',
    why: '某个内核设置没有保持写入的值',
    todo: '在容器中请让 /proc/sys/net 可写；参见 `culvert doctor`',
  },
  'lane-check-failed': {
    what: '隔离网络与预期不符',
    why: '启动前的检查发现了意料之外的接口',
    todo: '没有启动任何程序；请连同此处显示的详情一起报告',
  },
  'lane-unknown': {
    what: '没有这个正在运行的应用',
    why: '它已经结束，或者编号不对',
    todo: '参见 `culvert ps`',
  },
  'lane-quota': {
    what: '没有再启动应用',
    why: '同时存在的隔离网络数量有限',
    todo: '请停止不再需要的应用（`culvert ps`、`culvert stop`）',
  },
  'descriptor-failed': {
    what: '无法移交隔离网络的套接字',
    why: '系统拒绝了一个描述符',
    todo: '请提高打开文件数的上限（`ulimit -n`）后重试',
  },
  'helper-start-failed': {
    what: '建立隔离网络的辅助程序没有启动',
    why: '它在应答之前就结束了',
    todo: '请查看详情和 `culvert doctor`',
  },
  'helper-timeout': {
    what: '建立隔离网络的辅助程序没有应答',
    why: '等待时间已到',
    todo: '请重试；如果仍然如此，请参见 `culvert doctor`',
  },
  'helper-lost': {
    what: '建立隔离网络的辅助程序已不在',
    why: '它被外部结束了',
    todo: '正在运行的应用会保留网络；要打开新的应用，请重新启动 Culvert',
  },
  'helper-refused': {
    what: '拒绝了应答的辅助程序',
    why: '它没有以应有的用户身份运行',
    todo: '请停止所有正在运行的 Culvert，然后重新启动',
  },
  'pkexec-dismissed': {
    what: '没有得到许可',
    why: '密码对话框被关闭',
    todo: '请重试，或使用 --isolation rootless',
  },
  'pkexec-refused': {
    what: '没有得到许可',
    why: '系统不允许此用户建立隔离网络，或者密码错误',
    todo: '请重试，或使用 --isolation rootless',
  },
  'pkexec-no-agent': {
    what: '无法请求许可',
    why: '此会话中没有运行身份验证代理',
    todo: '请启动一个（例如 polkit-gnome 或 lxpolkit），或在可以使用 sudo 的终端中运行 Culvert',
  },
  'pkexec-missing': {
    what: '无法请求许可',
    why: '没有安装 pkexec',
    todo: '请安装 pkexec（polkit），或在可以使用 sudo 的终端中运行 Culvert',
  },
  'no-new-privs': {
    what: '无法请求许可',
    why: '此进程以 NoNewPrivs 启动，pkexec 和 sudo 都不起作用',
    todo: '请从桌面或新的终端启动 Culvert，或使用 --isolation rootless',
  },
  'sudo-refused': {
    what: '没有得到许可',
    why: 'sudo 拒绝了',
    todo: '请用正确的密码重试，或使用 --isolation rootless',
  },
  'no-way-to-root': {
    what: '无法请求许可',
    why: '这里既不能使用 pkexec，也不能使用 sudo',
    todo: '请安装 pkexec 或 sudo，或使用 --isolation rootless',
  },
  'identity-refused': {
    what: '辅助程序拒绝工作',
    why: '它只为请求它的普通用户服务',
    todo: '请以要运行应用的用户身份启动 Culvert',
  },
  'launch-failed': {
    what: '应用没有启动',
    why: '启动之前的一步失败了，因此没有启动任何程序',
    todo: '请查看详情和 `culvert doctor`',
  },
  'command-not-found': {
    what: '找不到该命令',
    why: '没有这个文件，或者它不在 PATH 中',
    todo: '请检查拼写，或给出完整路径',
  },
  'command-not-executable': {
    what: '无法运行该命令',
    why: '该文件不可执行',
    todo: '请使其可执行（`chmod +x`），或指定打开它的程序',
  },
  'nested-lane': {
    what: 'Culvert 不能在自己的隔离网络中运行',
    why: '此终端已经在隔离网络中；这里启动的一切都会经过它的代理',
    todo: '请直接运行该命令，或在外面打开终端',
  },
  'runtime-dir-unsafe': {
    what: '无法使用 Culvert 的套接字目录',
    why: '它不只属于您一人',
    todo: '请删除它，或把 XDG_RUNTIME_DIR 设为您自己的、权限为 0700 的目录',
  },
  'native-missing': {
    what: '缺少 Culvert 的本机部分',
    why: 'libculvert.so 或 culvert-launch 没有构建，或与此计算机不符',
    todo: '请用 `build/setup.sh` 构建，或重新安装软件包',
  },
  'engine-unreachable': {
    what: '找不到正在运行的 Culvert',
    why: '您的引擎没有一个应答',
    todo: '请用 `culvert run` 启动一个应用',
  },
  'engine-limit': {
    what: '拒绝了一个连接',
    why: '已达到打开连接数的上限',
    todo: '请关闭一些，或提高打开文件数的上限（`ulimit -n`）',
  },
  'peer-refused': {
    what: '引擎拒绝了连接',
    why: '只有您本人从隔离网络之外才能控制它',
    todo: '请以启动应用的用户身份、在应用之外运行该命令',
  },
  'proxy-url-invalid': {
    what: '无法理解该代理',
    why: '代理应写成 socks5://user:password@host:port',
    todo: '请更正后重试',
  },
  'option-invalid': {
    what: '无法理解一个选项',
    why: '它的值不在允许的范围内',
    todo: '参见 `culvert run --help`',
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
  'host-name-invalid': {
    what: '拒绝了一个连接',
    why: '它的主机名含有不能发送给代理的字符，或者过长',
    todo: '请检查应用中的名称',
  },
  'destination-blocked': {
    what: '拒绝了一个连接',
    why: '规则或配置的设置阻断了它的目的地',
    todo: '如果应当允许，请更改配置',
  },
  'destination-unreachable': {
    what: '一个连接失败了',
    why: '从此计算机无法到达它的目的地',
    todo: '请检查目的地是否正确、此计算机是否有网络',
  },
  'fake-address-unmapped': {
    what: '拒绝了一个连接',
    why: '应用使用的地址所代表的名称已不再为人所知',
    todo: '请让应用重新查询该名称（重新启动它）',
  },
  'udp-not-offered': {
    what: '拒绝了 UDP',
    why: '代理不提供 UDP',
    todo: '应用会尽可能改用 TCP；其他应用请使用支持 UDP 的 SOCKS5 代理',
  },
  'dns-failed': {
    what: '无法查询一个名称',
    why: '代理后面的解析器没有应答',
    todo: '请使用 --dns fake，或指定其他解析器',
  },
  'profile-unknown': {
    what: '没有这个配置',
    why: '没有配置使用这个标识，或者它已被删除',
    todo: '参见 `culvert profile ls`',
  },
  'app-unknown': {
    what: '没有这个应用',
    why: '没有桌面条目或程序使用这个名称',
    todo: '参见 `culvert app ls`，或给出完整路径',
  },
  'rule-unknown': {
    what: '没有这条规则',
    why: '没有规则使用这个标识',
    todo: '参见 `culvert rule ls`',
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
  'rule-invalid': {
    what: '无法理解该规则',
    why: '其中一部分不符合要求',
    todo: '请更正后重试；没有任何改变',
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
    todo: '请检查主机名和证书；如果您认识它，请在配置中接受它的指纹',
  },
  'egress-missing': {
    what: '拒绝了一个连接',
    why: '配置指定为出口的接口不存在',
    todo: '请连接它，或在配置中选择其他接口；在此期间应用没有网络',
  },
  'host-port-taken': {
    what: '没有向应用开放此计算机的一个端口',
    why: '应用自己正在监听同一个端口',
    todo: '请更改其中一个的端口',
  },
  'secrets-unavailable': {
    what: '无法安全地保存密码',
    why: '此会话中没有 Secret Service',
    todo: '请解锁或启动密钥环；在此之前密码保存在只有您能读取的文件中',
  },
  'probe-unreachable': {
    what: '无法进行检查',
    why: '无法连接它要询问的服务器',
    todo: '请稍后重试，或用 --url 指定其他服务器；这不说明是否有泄漏',
  },
  'leak-found': {
    what: '发现了泄漏',
    why: '有数据没有按配置的路径到达外部',
    todo: '请停止该应用，并连同此处显示的详情一起报告',
  },
  'blocked-by-rule': {
    what: '拒绝了一个连接',
    why: '一条规则阻断了它',
    todo: '如果应当允许，请参见 `culvert rule ls`',
  },
  'blocked-by-profile': {
    what: '拒绝了一个连接',
    why: '该配置阻断没有规则允许的一切',
    todo: '如果应当允许，请选择其他配置（`culvert switch`）',
  },
  'entry-invalid': {
    what: '无法启动该应用',
    why: '它的桌面条目不符合要求',
    todo: '请更正该条目，或用 `culvert run` 直接启动程序',
  },
  'app-refused': {
    what: '无法把它作为应用打开',
    why: '它不是桌面条目、程序、AppImage 或脚本',
    todo: '请选择打开它的程序',
  },
  'app-untrusted': {
    what: '没有打开该应用',
    why: '它的桌面条目在应用程序文件夹之外，任何人都可能把它放在那里',
    todo: '请查看它要启动的命令，并确认您信任它',
  },
  'app-ambiguous': {
    what: '没有打开该应用',
    why: '有多个应用使用这个名称',
    todo: '请用标识指定其中一个',
  },
  'app-running-outside': {
    what: '该应用已经在隔离网络之外打开',
    why: '它会转交给正在运行的、未经代理的那一个',
    todo: '请关闭后重新打开，或用单独的浏览器配置打开',
  },
  'terminal-missing': {
    what: '没有打开该应用',
    why: '它需要终端，而没有找到会留在隔离网络中的终端',
    todo: '请安装 xterm、foot 或 konsole 之类的终端，或在终端中使用 `culvert run`',
  },
  'profile-in-use': {
    what: '没有删除该配置',
    why: '仍有应用、规则或启动器使用它',
    todo: '请先让它们使用其他配置',
  },
  'secret-unreadable': {
    what: '无法读取密码',
    why: '密钥环已锁定，或保存密码的文件无法读取',
    todo: '请解锁密钥环，或重新输入密码',
  },
  'launcher-unknown': {
    what: '没有这个启动器',
    why: 'Culvert 创建的启动器中没有这个名称',
    todo: '参见 `culvert launcher ls`',
  },
};
