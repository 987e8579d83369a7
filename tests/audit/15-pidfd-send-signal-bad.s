; class 15: pidfd send signal
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #__NR_kill, deny
jeq #__NR_tkill, deny
jeq #__NR_tgkill, deny
jeq #__NR_rt_sigqueueinfo, deny
jeq #__NR_rt_tgsigqueueinfo, deny
ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
