// What several files share.

@description('Tags of a resource.')
@export()
type tagsOf = {
  *: string
}

@description('A region as Azure names it: West Europe is westeurope.')
@export()
func plainRegion(region string) string => toLower(replace(region, ' ', ''))

@description('Where a region has zones, storage is kept in three of them at once. It cannot simply be changed later.')
@export()
func storageSku(region string) string =>
  contains(
      [
        'australiaeast'
        'austriaeast'
        'belgiumcentral'
        'brazilsouth'
        'canadacentral'
        'centralindia'
        'centralus'
        'chilecentral'
        'eastasia'
        'eastus'
        'eastus2'
        'francecentral'
        'germanywestcentral'
        'indonesiacentral'
        'israelcentral'
        'italynorth'
        'japaneast'
        'japanwest'
        'koreacentral'
        'malaysiawest'
        'mexicocentral'
        'newzealandnorth'
        'northeurope'
        'norwayeast'
        'polandcentral'
        'qatarcentral'
        'southafricanorth'
        'southcentralus'
        'southeastasia'
        'spaincentral'
        'swedencentral'
        'switzerlandnorth'
        'uaenorth'
        'uksouth'
        'westeurope'
        'westus2'
        'westus3'
      ],
      plainRegion(region)
    )
    ? 'Standard_ZRS'
    : 'Standard_LRS'
