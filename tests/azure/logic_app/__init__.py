"""An interpreter of the few parts of Azure Logic Apps that infra/ uses; it refuses all others."""
